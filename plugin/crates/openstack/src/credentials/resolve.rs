//! From settings to credentials, with every missing name at once.

use std::collections::BTreeMap;

use reseal_machine::cloud::Dialect;
use secrecy::{ExposeSecret, SecretString};

use super::clouds_yaml::{self, Files};
use super::settings::{self as key, Key, Settings};
use super::{Auth, Credentials, CredentialsError, Domain, IdentityVersion, Interface, Project, Proxy, Tls, User};
use crate::catalog::Service;

impl Credentials {
    /// Puts credentials together from the names that OpenStack's own tools use.
    ///
    /// `env` looks up an environment variable. `files` gives a file's text: for `clouds.yaml`, `secure.yaml` and
    /// `clouds-public.yaml` the caller looks in the usual places (`./`, `~/.config/openstack/`, `/etc/openstack/`, or
    /// where `OS_CLIENT_CONFIG_FILE` says); any other name is a path that the user wrote (`OS_CACERT`, `OS_CERT`,
    /// `OS_KEY`). `cloud_name` goes before `OS_CLOUD`.
    pub fn resolve(
        env: &dyn Fn(&str) -> Option<String>,
        files: &dyn Fn(&str) -> Option<String>,
        cloud_name: Option<&str>,
    ) -> Result<Self, CredentialsError> {
        let settings = settings(env, files, cloud_name)?;
        let mut missing = Vec::new();
        let auth_url = need(&settings, &key::AUTH_URL, &mut missing);
        let auth = auth(&settings, &mut missing)?;
        let (Some(auth_url), Some(auth)) = (auth_url, auth) else {
            return Err(incomplete(missing));
        };
        Ok(Self {
            auth_url: checked(&auth_url)?,
            identity: identity(&settings)?,
            auth,
            region: settings.get(&key::REGION).or_else(|| settings.only_listed_region()),
            interface: interface(&settings)?,
            tls: tls(&settings, files)?,
            proxy: proxy(&settings),
            endpoints: endpoints(&settings),
        })
    }

    /// What looks wrong about these credentials although they are complete.
    pub fn remarks(&self, dialect: Dialect) -> Vec<String> {
        let (Dialect::Nhn, Auth::Password { user, .. }) = (dialect, &self.auth) else {
            return Vec::new();
        };
        let User { user, .. } = user;
        let (super::Named::Id(text) | super::Named::Name(text)) = user;
        let hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hex && matches!(user, super::Named::Name(_)) {
            return vec![
                "the user name looks like an API user id (32 hex digits); NHN Cloud wants the e-mail address of the NHN Cloud ID, or the IAM account's id".to_owned(),
            ];
        }
        Vec::new()
    }
}

fn settings<'a>(
    env: &'a dyn Fn(&str) -> Option<String>,
    files: Files<'_>,
    cloud_name: Option<&str>,
) -> Result<Settings<'a>, CredentialsError> {
    let bare = Settings { cloud: None, env };
    let named = cloud_name.map(ToOwned::to_owned).or_else(|| bare.in_env(&["OS_CLOUD"]));
    let by_environment = bare.env_says(&[&key::AUTH_URL]);
    let cloud = if named.is_none() && by_environment {
        None
    } else {
        clouds_yaml::pick(files, named.as_deref())?
    };
    Ok(Settings { cloud, env })
}

/// The three ways to prove who we are.
#[derive(Clone, Copy)]
enum Kind {
    Password,
    ApplicationCredential,
    Token,
}

const CREDENTIAL: [&Key; 2] = [&key::CREDENTIAL_ID, &key::CREDENTIAL_NAME];
const USER: [&Key; 2] = [&key::USER_ID, &key::USER_NAME];

/// What `auth_type` says; else what the cloud shows; else what the environment shows.
fn kind(settings: &Settings<'_>) -> Result<Kind, CredentialsError> {
    let said = settings.in_cloud(key::AUTH_TYPE.yaml);
    let shown = |says: &dyn Fn(&[&Key]) -> bool| {
        if says(&CREDENTIAL) {
            Some(Kind::ApplicationCredential)
        } else if says(&USER) {
            Some(Kind::Password)
        } else {
            says(&[&key::TOKEN]).then_some(Kind::Token)
        }
    };
    if said.is_none()
        && let Some(kind) = shown(&|keys| settings.cloud_says(keys))
    {
        return Ok(kind);
    }
    match said.or_else(|| settings.in_env(key::AUTH_TYPE.env)) {
        Some(name) => kind_by_name(&name),
        None => Ok(shown(&|keys| settings.env_says(keys)).unwrap_or(Kind::Password)),
    }
}

fn kind_by_name(name: &str) -> Result<Kind, CredentialsError> {
    match name.to_ascii_lowercase().as_str() {
        "password" | "v2password" | "v3password" => Ok(Kind::Password),
        "v3applicationcredential" | "application_credential" => Ok(Kind::ApplicationCredential),
        "token" | "v2token" | "v3token" => Ok(Kind::Token),
        _ => Err(CredentialsError {
            message: format!("the authentication type `{name}` is not supported"),
            missing: Vec::new(),
            hints: vec![
                "supported are `password`, `v2password`, `v3password`, `v3applicationcredential` and `token`".to_owned(),
                "for another log-in fetch a token with `openstack token issue` and set `OS_AUTH_TYPE=token` and `OS_TOKEN`".to_owned(),
            ],
        }),
    }
}

fn auth(settings: &Settings<'_>, missing: &mut Vec<String>) -> Result<Option<Auth>, CredentialsError> {
    Ok(match kind(settings)? {
        Kind::Password => password(settings, missing),
        Kind::ApplicationCredential => application_credential(settings, missing),
        Kind::Token => need(settings, &key::TOKEN, missing).map(|token| Auth::Token {
            token: token.into(),
            project: project(settings),
        }),
    })
}

fn password(settings: &Settings<'_>, missing: &mut Vec<String>) -> Option<Auth> {
    let user = user(settings);
    if user.is_none() {
        missing.push("OS_USERNAME".to_owned());
    }
    let password = need(settings, &key::PASSWORD, missing);
    let project = project(settings);
    if project.is_none() {
        missing.push("OS_PROJECT_ID".to_owned());
    }
    Some(Auth::Password {
        user: user?,
        password: password?.into(),
        project: project?,
    })
}

fn application_credential(settings: &Settings<'_>, missing: &mut Vec<String>) -> Option<Auth> {
    let credential = settings.named(&key::CREDENTIAL_ID, &key::CREDENTIAL_NAME);
    if credential.is_none() {
        missing.push("OS_APPLICATION_CREDENTIAL_ID".to_owned());
    }
    let secret = need(settings, &key::CREDENTIAL_SECRET, missing);
    let user = user(settings);
    if matches!(credential, Some(super::Named::Name(_))) && user.is_none() {
        missing.push("OS_USERNAME".to_owned());
        return None;
    }
    Some(Auth::ApplicationCredential {
        credential: credential?,
        user,
        secret: secret?.into(),
    })
}

fn user(settings: &Settings<'_>) -> Option<User> {
    let user = settings.named(&key::USER_ID, &key::USER_NAME)?;
    Some(User {
        user,
        domain: user_domain(settings).unwrap_or_default(),
    })
}

fn user_domain(settings: &Settings<'_>) -> Option<Domain> {
    settings
        .named(&key::USER_DOMAIN_ID, &key::USER_DOMAIN_NAME)
        .or_else(|| settings.named(&key::DOMAIN_ID, &key::DOMAIN_NAME))
        .map(Domain)
}

fn project(settings: &Settings<'_>) -> Option<Project> {
    let project = settings.named(&key::PROJECT_ID, &key::PROJECT_NAME)?;
    let domain = settings
        .named(&key::PROJECT_DOMAIN_ID, &key::PROJECT_DOMAIN_NAME)
        .map(Domain);
    Some(Project {
        project,
        domain: domain.or_else(|| user_domain(settings)).unwrap_or_default(),
    })
}

fn need(settings: &Settings<'_>, key: &Key, missing: &mut Vec<String>) -> Option<String> {
    let value = settings.get(key);
    if value.is_none() {
        missing.extend(key.env.first().map(|name| (*name).to_owned()));
    }
    value
}

fn incomplete(missing: Vec<String>) -> CredentialsError {
    let names = missing
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    CredentialsError {
        message: format!("the cloud's credentials are not complete: {names} missing"),
        missing,
        hints: vec![
            "set the `OS_*` variables, or write a `clouds.yaml` and set `OS_CLOUD`".to_owned(),
            "on NHN Cloud the tenant id and the API password are in the console: Compute > Instance > Set API Endpoint"
                .to_owned(),
        ],
    }
}

/// Keystone's address without trailing slashes, and never with a password inside.
fn checked(auth_url: &str) -> Result<String, CredentialsError> {
    let refused = |why: &str| {
        CredentialsError {
        message: format!("`OS_AUTH_URL` {why}"),
        missing: Vec::new(),
        hints: vec!["it looks like `https://keystone.example/v3`; on NHN Cloud it is `https://api-identity-infrastructure.nhncloudservice.com/v2.0`".to_owned()],
    }
    };
    let url = reqwest::Url::parse(auth_url.trim()).map_err(|_| refused("is not an address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refused("must begin with `https://` or `http://`"));
    }
    if url.password().is_some() || !url.username().is_empty() {
        return Err(refused("must not hold a user or a password"));
    }
    Ok(auth_url.trim().trim_end_matches('/').to_owned())
}

/// The version that was said apart from the address, also by the kind of log-in.
fn identity(settings: &Settings<'_>) -> Result<Option<IdentityVersion>, CredentialsError> {
    if let Some(version) = settings.get(&key::IDENTITY_VERSION) {
        return match version.trim_start_matches('v') {
            "2" | "2.0" => Ok(Some(IdentityVersion::V2)),
            "3" | "3.0" => Ok(Some(IdentityVersion::V3)),
            _ => Err(plain(format!(
                "`OS_IDENTITY_API_VERSION` is `{version}`, but only 2 and 3 exist"
            ))),
        };
    }
    let kind = settings.get(&key::AUTH_TYPE).unwrap_or_default();
    Ok(match kind {
        kind if kind.starts_with("v2") => Some(IdentityVersion::V2),
        kind if kind.starts_with("v3") => Some(IdentityVersion::V3),
        _ => None,
    })
}

fn interface(settings: &Settings<'_>) -> Result<Interface, CredentialsError> {
    let said = settings.get(&key::INTERFACE).unwrap_or_else(|| "public".to_owned());
    match said.trim_end_matches("URL") {
        "public" => Ok(Interface::Public),
        "internal" => Ok(Interface::Internal),
        "admin" => Ok(Interface::Admin),
        _ => Err(plain(format!(
            "`OS_INTERFACE` is `{said}`, but only public, internal and admin exist"
        ))),
    }
}

fn tls(settings: &Settings<'_>, files: Files<'_>) -> Result<Tls, CredentialsError> {
    let read = |key: &Key| {
        settings.get(key).map(|path| {
            let name = key.env.first().copied().unwrap_or_default();
            files(&path).ok_or_else(|| plain(format!("the file `{path}` that `{name}` names cannot be read")))
        })
    };
    let ca = read(&key::CACERT).transpose()?.map(String::into_bytes);
    let cert = read(&key::CERT).transpose()?;
    let key = read(&key::KEY).transpose()?.map(SecretString::from);
    let identity = cert.map(|cert| match &key {
        Some(key) => SecretString::from(format!("{cert}\n{}", key.expose_secret())),
        None => SecretString::from(cert),
    });
    let unverified = settings.flag(&key::VERIFY) == Some(false);
    Ok(Tls {
        ca,
        identity,
        insecure: unverified || settings.flag(&key::INSECURE) == Some(true),
    })
}

fn proxy(settings: &Settings<'_>) -> Option<Proxy> {
    let http = settings.get(&key::HTTP_PROXY).map(SecretString::from);
    let https = settings.get(&key::HTTPS_PROXY).map(SecretString::from);
    (http.is_some() || https.is_some()).then(|| Proxy {
        http,
        https,
        except: settings.get(&key::NO_PROXY),
    })
}

/// `compute_endpoint_override` and its like, or `OS_COMPUTE_ENDPOINT_OVERRIDE`.
fn endpoints(settings: &Settings<'_>) -> BTreeMap<Service, String> {
    let found = |service: Service| {
        service.types().iter().find_map(|kind| {
            let name = format!("{}_endpoint_override", kind.replace('-', "_"));
            let variable = format!("OS_{}", name.to_ascii_uppercase());
            settings.in_cloud(&[&name]).or_else(|| settings.in_env(&[&variable]))
        })
    };
    Service::ALL
        .into_iter()
        .filter_map(|service| Some((service, found(service)?)))
        .collect()
}

fn plain(message: String) -> CredentialsError {
    CredentialsError {
        message,
        missing: Vec::new(),
        hints: Vec::new(),
    }
}
