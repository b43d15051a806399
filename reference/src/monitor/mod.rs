//! The process beside each container: it holds stdio, log, exit status, attach socket and control FIFO, and outlives the daemon.
//!
//! Its contract is a run directory of small files; there is no RPC.
//!
//! The daemon's side: [`Launcher::launch`] starts one, [`RunDir`] tells how the container stands, waits for its end and signals
//! it, [`log::Follow`] reads its log. The monitor's side: [`supervise`].

mod amends;
mod error;
mod launcher;
pub mod log;
mod record;
mod report;
mod run_dir;
mod supervise;
mod zygote;

pub use error::MonitorError;
pub use launcher::Launcher;
pub use record::{ExitRecord, Init};
pub use run_dir::{RunDir, RunState};
pub use supervise::{Created, Streams, Workload, supervise};
pub use zygote::SUBCOMMAND;
