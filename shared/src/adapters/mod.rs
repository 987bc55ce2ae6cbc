//! The ports, implemented for Google and AWS. Adapters never use each other.

pub mod dynamo;
pub mod google;
