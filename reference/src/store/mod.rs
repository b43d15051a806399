//! Images, layers and container records on disk.
