//! The process beside each container: it holds stdio, log, exit status, attach socket and control FIFO, and outlives the daemon.
//!
//! Its contract is a run directory of small files; there is no RPC.
