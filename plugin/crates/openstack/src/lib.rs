//! Keystone, Nova, Glance, Cinder and Neutron as far as Reseal needs them, with NHN Cloud as a dialect.
//!
//! [`OpenStack`] implements [`reseal_machine::Cloud`] over the documented HTTP protocols and over nothing else. It
//! is not a general OpenStack client: it knows the thirty calls of an image build, and those thoroughly: retries,
//! renewal of tokens, paging, look-ups before a second creation, and the words of every service's errors.
//!
//! Start reading at [`cloud`](OpenStack), then `http` (the one way a request takes), then `dialect`. Credentials
//! come in through [`Credentials::resolve`]; this crate reads neither environment nor files.

mod auth;
mod catalog;
mod cinder;
mod cloud;
mod config;
mod credentials;
mod dialect;
mod doctor;
mod glance;
mod http;
mod json;
mod marked;
mod neutron;
mod nova;
mod paging;
#[cfg(test)]
mod robust;
mod stats;

pub use catalog::{Catalog, Endpoint, Service};
pub use cloud::OpenStack;
pub use config::{IdSource, OpenStackConfig};
pub use credentials::{
    Auth, Credentials, CredentialsError, Domain, IdentityVersion, Interface, Named, Project, Proxy, Tls, User,
};
pub use doctor::{Check, check};
pub use stats::Stats;
