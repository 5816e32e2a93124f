//! Makes the build's one-time identity and keeps it in the keyring.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::identity::{self, IdentityError};
use crate::world::{World, name};

/// The private key's name in the keyring.
pub const KEY: &str = "build/key";
/// The build account's password.
pub const PASSWORD: &str = "build/password";
/// The listener's PFX.
pub(super) const PFX: &str = "build/pfx";
/// The PFX's password.
pub const PFX_PASSWORD: &str = "build/pfx-password";

/// Nothing to choose.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IdentityParams {}

/// The public half of an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityOutput {
    /// `ssh-rsa …`.
    pub public_key: String,
    /// SHA-256 of the listener's certificate.
    pub pin: String,
    /// The certificate's SHA-1 thumbprint, by which Windows names it.
    pub thumbprint: String,
}

/// The action.
pub(super) struct Make(pub(super) World);

impl Make {
    fn password(&self) -> SecretString {
        let mut random = [0; 24];
        self.0.random.fill(&mut random);
        identity::password(&random)
    }
}

#[async_trait]
impl Action for Make {
    type Params = IdentityParams;
    type Output = IdentityOutput;

    async fn run(&self, cx: &Context<'_>, _params: &IdentityParams) -> Result<IdentityOutput, ActionError> {
        let name = name(cx.build());
        let key = identity::ssh_key(&name).map_err(failed)?;
        let listener = identity::listener(&name, self.password()).map_err(failed)?;
        cx.keep_secret(KEY, key.private)?;
        cx.keep_secret(PASSWORD, self.password())?;
        cx.keep_secret(PFX, listener.pfx)?;
        cx.keep_secret(PFX_PASSWORD, listener.pfx_password)?;
        Ok(IdentityOutput {
            public_key: key.public,
            pin: listener.pin,
            thumbprint: listener.thumbprint,
        })
    }
}

fn failed(error: IdentityError) -> ActionError {
    ActionError::new(FailureClass::Internal, error.to_string())
}
