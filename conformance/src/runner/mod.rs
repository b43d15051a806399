//! Runs scenarios against an endpoint and says how each ended.
