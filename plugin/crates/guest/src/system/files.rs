//! Files that the guest fetches itself, and their signatures.

use serde::{Deserialize, Serialize};

use super::Query;
use crate::script::{Script, script};

/// Downloads a file in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FetchUrl {
    /// The address.
    pub url: String,
    /// The file's path in the guest.
    pub path: String,
    /// What it must hash to.
    pub sha256: Option<String>,
    /// What size it must have.
    pub size: Option<u64>,
    /// The SHA-256 of the server's certificate, when only that one is trusted.
    pub pin: Option<String>,
    /// The limit of the whole download.
    pub timeout_seconds: u64,
}

/// A download's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// Where it is.
    pub path: String,
    /// Its size.
    pub size: u64,
    /// Its SHA-256, lower case.
    pub sha256: String,
    /// Bytes that came over the wire now.
    pub downloaded: u64,
    /// A part was there already.
    pub resumed: bool,
    /// The whole was there already.
    pub already: bool,
}

impl Query for FetchUrl {
    type Answer = Fetched;
    const SCRIPT: Script = script!("fetch_url", "values");
}

/// Asks for a file's Authenticode signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The file.
    pub path: String,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureResult {
    /// `valid`, `not_signed`, `hash_mismatch`, `not_trusted` or `unknown`.
    pub status: String,
    /// The signer.
    pub subject: Option<String>,
    /// The certificate's thumbprint.
    pub thumbprint: Option<String>,
    /// The end of its validity.
    pub not_after: Option<String>,
    /// `authenticode`, `catalog` or `none`.
    pub kind: String,
}

impl Query for Signature {
    type Answer = SignatureResult;
    const SCRIPT: Script = script!("signature", "values", "payload");
}
