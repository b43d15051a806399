//! The interface definition, and the check of every reply against it.
