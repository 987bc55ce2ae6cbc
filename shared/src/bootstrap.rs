//! Puts a function together at cold start: each function asks for the adapters that it uses and links no others.

use crate::config::Config;

/// Settings and the AWS set-up, from which adapters are made.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The settings.
    pub config: Config,
    /// Region, credentials, endpoints and the one HTTP client.
    pub aws: aws_config::SdkConfig,
}

impl Bootstrap {
    /// With settings and an AWS set-up of the caller's.
    pub fn new(config: Config, aws: aws_config::SdkConfig) -> Self {
        Self { config, aws }
    }
}
