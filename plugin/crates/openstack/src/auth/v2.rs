//! Keystone v2.0, as NHN Cloud documents it (<https://docs.nhncloud.com/en/nhncloud/en/public-api/iaas-token/>).

use reseal_machine::{CloudError, CloudErrorKind};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::Granted;
use crate::catalog::Catalog;
use crate::credentials::{Auth, Named, Project};
use crate::http::reply::Reply;
use crate::json;

/// The body of `POST /tokens`.
pub(super) fn body(auth: &Auth) -> Result<Value, CloudError> {
    let mut members = Map::new();
    match auth {
        Auth::Password {
            user,
            password,
            project,
        } => {
            let (key, user) = match &user.user {
                Named::Name(name) => ("username", name),
                Named::Id(id) => ("userId", id),
            };
            scope(&mut members, project);
            members.insert(
                "passwordCredentials".to_owned(),
                json!({ key: user, "password": password.expose_secret() }),
            );
        }
        Auth::Token { token, project } => {
            if let Some(project) = project {
                scope(&mut members, project);
            }
            members.insert("token".to_owned(), json!({ "id": token.expose_secret() }));
        }
        Auth::ApplicationCredential { .. } => {
            return Err(CloudError::new(
                CloudErrorKind::Invalid,
                "authenticate",
                "Keystone v2.0 has no application credentials",
            )
            .hint("end `OS_AUTH_URL` with `/v3`, or use user and password"));
        }
    }
    Ok(json!({ "auth": members }))
}

fn scope(members: &mut Map<String, Value>, project: &Project) {
    let (key, project) = match &project.project {
        Named::Id(id) => ("tenantId", id),
        Named::Name(name) => ("tenantName", name),
    };
    members.insert(key.to_owned(), project.clone().into());
}

/// Reads the reply.
pub(super) fn granted(reply: &Reply) -> Result<Granted, CloudError> {
    let access = reply.member("access")?;
    let token = access.get("token").unwrap_or(&Value::Null);
    let project = token.get("tenant").and_then(|tenant| json::text(tenant, "id"));
    Ok(Granted {
        token: json::text(token, "id")
            .ok_or_else(|| reply.unexpected("the answer has no token"))?
            .into(),
        catalog: Catalog::from_v2(access.get("serviceCatalog").unwrap_or(&Value::Null)),
        project: project.ok_or_else(|| no_project(reply))?,
        issued: json::time(token, "issued_at"),
        expires: json::time(token, "expires"),
    })
}

/// A token without a project can do nothing for us.
pub(super) fn no_project(reply: &Reply) -> CloudError {
    reply
        .unexpected("the token belongs to no project")
        .hint("set `OS_PROJECT_ID` (NHN Cloud: the tenant id)")
}
