//! Keystone v3 (<https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management>).

use reseal_machine::CloudError;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::{Granted, v2};
use crate::catalog::Catalog;
use crate::credentials::{Auth, Domain, Named, Project, User};
use crate::http::reply::Reply;
use crate::json;

/// The body of `POST /auth/tokens`.
pub(super) fn body(auth: &Auth) -> Value {
    match auth {
        Auth::Password {
            user,
            password,
            project,
        } => {
            let mut user = user_value(user);
            user.insert("password".to_owned(), password.expose_secret().into());
            let identity = json!({ "methods": ["password"], "password": { "user": user } });
            json!({ "auth": { "identity": identity, "scope": scope(project) } })
        }
        Auth::ApplicationCredential {
            credential,
            user,
            secret,
        } => {
            let mut value = Map::new();
            match credential {
                Named::Id(id) => value.insert("id".to_owned(), id.clone().into()),
                Named::Name(name) => {
                    if let Some(user) = user {
                        value.insert("user".to_owned(), user_value(user).into());
                    }
                    value.insert("name".to_owned(), name.clone().into())
                }
            };
            value.insert("secret".to_owned(), secret.expose_secret().into());
            // No scope: an application credential is bound to its project.
            json!({ "auth": { "identity": { "methods": ["application_credential"], "application_credential": value } } })
        }
        Auth::Token { token, project } => {
            let identity = json!({ "methods": ["token"], "token": { "id": token.expose_secret() } });
            match project {
                Some(project) => json!({ "auth": { "identity": identity, "scope": scope(project) } }),
                None => json!({ "auth": { "identity": identity } }),
            }
        }
    }
}

fn user_value(user: &User) -> Map<String, Value> {
    named(&user.user, &user.domain)
}

fn scope(project: &Project) -> Value {
    json!({ "project": named(&project.project, &project.domain) })
}

/// An id stands alone; a name needs its domain.
fn named(what: &Named, domain: &Domain) -> Map<String, Value> {
    let pair = |key: &str, value: Value| (key.to_owned(), value);
    match what {
        Named::Id(id) => [pair("id", id.clone().into())].into_iter().collect(),
        Named::Name(name) => {
            let domain = match &domain.0 {
                Named::Id(id) => json!({ "id": id }),
                Named::Name(name) => json!({ "name": name }),
            };
            [pair("name", name.clone().into()), pair("domain", domain)]
                .into_iter()
                .collect()
        }
    }
}

/// Reads the reply; the token itself is in a header.
pub(super) fn granted(reply: &Reply) -> Result<Granted, CloudError> {
    let secret = reply
        .header("x-subject-token")
        .ok_or_else(|| reply.unexpected("the answer has no `X-Subject-Token`"))?;
    let token = reply.member("token")?;
    let project = token.get("project").and_then(|project| json::text(project, "id"));
    Ok(Granted {
        token: secret.to_owned().into(),
        catalog: Catalog::from_v3(token.get("catalog").unwrap_or(&Value::Null)),
        project: project.ok_or_else(|| v2::no_project(reply))?,
        issued: json::time(&token, "issued_at"),
        expires: json::time(&token, "expires_at"),
    })
}
