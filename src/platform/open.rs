//! The adapter of a configuration.

use super::{
    Platform, PlatformError, cobot::CobotCloud, contract::ContractCloud, file::FilePlatform,
    nexudus::Nexudus, officernd::OfficeRndCloud, spacebring::Spacebring, vault::Vault,
};
use crate::{clock::Clock, config::model::CloudConfig};
use std::sync::Arc;

/// What every adapter may need of the gateway.
#[derive(Clone, Debug)]
pub struct Around {
    /// Tokens that outlive a restart.
    pub vault: Vault,
    /// For ends of tokens and for windows of time in queries.
    pub clock: Clock,
    /// The site's zone, an IANA name.
    pub zone: String,
}

/// Prepares the adapter of a configuration; nothing is sent yet. `None` when there is no cloud.
///
/// # Errors
/// When the connection cannot be prepared: no authority to trust, an address that would leak secrets.
pub fn open(cloud: &CloudConfig, around: &Around) -> Result<Option<Arc<dyn Platform>>, PlatformError> {
    Ok(Some(match cloud {
        CloudConfig::None => return Ok(None),
        CloudConfig::File { path } => Arc::new(FilePlatform::new(path.clone(), &around.zone)),
        CloudConfig::Contract(http) => Arc::new(ContractCloud::new(http)?),
        CloudConfig::Cobot(cobot) => Arc::new(CobotCloud::new(cobot, around.clone())?),
        CloudConfig::Nexudus(config) => Arc::new(Nexudus::new(config, around)?),
        CloudConfig::OfficeRnd(officernd) => Arc::new(OfficeRndCloud::new(officernd, around)?),
        CloudConfig::Spacebring(config) => Arc::new(Spacebring::new(config, around)?),
    }))
}
