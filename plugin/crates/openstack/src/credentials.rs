//! Who asks, and where: the credentials of a cloud, gathered from the names that OpenStack's own tools use.

mod clouds_yaml;
mod resolve;
mod settings;

use std::collections::BTreeMap;

use secrecy::SecretString;
use thiserror::Error;

use crate::catalog::Service;

/// Everything needed to get a token and to trust the other end. Holds no path: files are read by the caller.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Keystone's address, with or without version.
    pub auth_url: String,
    /// The version of Keystone, where it was said apart from the address.
    pub identity: Option<IdentityVersion>,
    /// How to prove who we are.
    pub auth: Auth,
    /// The region that was asked for.
    pub region: Option<String>,
    /// Which of the catalogue's addresses to use.
    pub interface: Interface,
    /// Trust.
    pub tls: Tls,
    /// The way out, where there is one.
    pub proxy: Option<Proxy>,
    /// Addresses that replace the catalogue's.
    pub endpoints: BTreeMap<Service, String>,
}

/// How to prove who we are.
#[derive(Debug, Clone)]
pub enum Auth {
    /// User, password and project.
    Password {
        /// The account.
        user: User,
        /// Its password; on NHN Cloud the API password.
        password: SecretString,
        /// The project to work in.
        project: Project,
    },
    /// An application credential: bound to its project.
    ApplicationCredential {
        /// The credential; a name needs `user`.
        credential: Named,
        /// The owner, needed with a name.
        user: Option<User>,
        /// Its secret.
        secret: SecretString,
    },
    /// A token that somebody else fetched. It cannot be renewed after its end.
    Token {
        /// The token.
        token: SecretString,
        /// The project to work in; `None` keeps the token's own.
        project: Option<Project>,
    },
}

/// Something that has an id, or a name that is unique only in some place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

/// A user. The domain counts only beside a name, and only in v3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account.
    pub user: Named,
    /// Its domain.
    pub domain: Domain,
}

/// A project. The domain counts only beside a name, and only in v3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The project.
    pub project: Named,
    /// Its domain.
    pub domain: Domain,
}

/// A Keystone v3 domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(pub Named);

impl Default for Domain {
    /// The domain that every Keystone begins with.
    fn default() -> Self {
        Self(Named::Id("default".to_owned()))
    }
}

/// Which Keystone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityVersion {
    /// v2.0, which NHN Cloud documents.
    V2,
    /// v3, the only one upstream.
    V3,
}

/// Which of a service's addresses to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Interface {
    /// From everywhere.
    #[default]
    Public,
    /// From inside the cloud's own network.
    Internal,
    /// For operators.
    Admin,
}

/// Whom to trust, and how to be trusted.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The only authorities to trust (PEM); `None` trusts the system's.
    pub ca: Option<Vec<u8>>,
    /// Our own certificate and key (PEM, one after the other).
    pub identity: Option<SecretString>,
    /// Trust anybody. Only for a laboratory.
    pub insecure: bool,
}

/// A way out through a proxy.
#[derive(Debug, Clone, Default)]
pub struct Proxy {
    /// For `http` addresses.
    pub http: Option<SecretString>,
    /// For `https` addresses.
    pub https: Option<SecretString>,
    /// Where to go directly, as in `NO_PROXY`.
    pub except: Option<String>,
}

/// Why no credentials could be put together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct CredentialsError {
    /// What is wrong; lower case, no full stop. Free of secrets.
    pub message: String,
    /// The names that have no value, e.g. `OS_PASSWORD`.
    pub missing: Vec<String>,
    /// What a person can do about it.
    pub hints: Vec<String>,
}

#[cfg(test)]
mod tests;
