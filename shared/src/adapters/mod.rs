//! Implementations of the ports for Google and AWS. Adapters never use each other.

pub mod dynamo;
pub mod eventbridge;
pub mod google;
pub mod kms;
pub mod secrets;
pub mod sqs;
pub mod system;
