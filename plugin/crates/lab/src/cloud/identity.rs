//! Keystone: the token calls of v2.0 (NHN) and v3 (upstream), and the catalogue.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Token;
use super::clockwork::{micros, micros_z, seconds};
use super::front::Turn;
use super::ids::{hex32_of, secret};
use super::mode::Mode;
use super::reply::{Outcome, Refusal, Reply};

/// Answers a request to Keystone.
pub(crate) fn answer(turn: &mut Turn<'_>) -> Outcome {
    let ask = turn.ask;
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    match (turn.world.mode, &ask.method, path.as_slice()) {
        (Mode::Nhn, &Method::POST, ["v2.0", "tokens"]) => token_v2(turn),
        (Mode::Openstack, &Method::POST, ["v3", "auth", "tokens"]) => token_v3(turn),
        (_, &Method::GET, [] | [""]) => Ok(versions(turn)),
        (Mode::Openstack, &Method::GET, ["v3"] | ["v3", ""]) => Ok(Reply::json(200, json!({"version": version(turn)}))),
        (Mode::Nhn, _, ["v3", ..]) => Err(Refusal::not_found("lab: this cloud has Keystone v2.0 only")),
        (Mode::Openstack, _, ["v2.0", ..]) => Err(Refusal::not_found("lab: this cloud has Keystone v3 only")),
        (_, method, path) => Err(Refusal::strict(format!(
            "Keystone has no {method} /{} here",
            path.join("/")
        ))),
    }
}

fn versions(turn: &Turn<'_>) -> Reply {
    Reply::json(300, json!({"versions": {"values": [version(turn)]}}))
}

fn version(turn: &Turn<'_>) -> Value {
    let id = match turn.world.mode {
        Mode::Nhn => "v2.0",
        Mode::Openstack => "v3.14",
    };
    json!({"id": id, "status": "stable", "updated": "2020-04-07T00:00:00Z",
           "links": [{"rel": "self", "href": turn.world.auth_url()}]})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V2 {
    auth: V2Auth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct V2Auth {
    tenant_id: String,
    password_credentials: V2Password,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V2Password {
    username: String,
    password: String,
}

fn token_v2(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.query(&[])?;
    let V2 { auth } = turn.ask.json()?;
    let tenant = &turn.world.tenant;
    let good = auth.password_credentials.username == tenant.user
        && auth.password_credentials.password == tenant.password
        && auth.tenant_id == tenant.id;
    let (id, expires) = issue(turn, good)?;
    let tenant = &turn.world.tenant;
    Ok(Reply::json(
        200,
        json!({"access": {
            "token": {"id": id, "expires": seconds(expires), "issued_at": micros(turn.now),
                      "tenant": {"id": tenant.id, "name": tenant.name, "groupId": "Grp0000000000001", "description": "",
                                 "enabled": true, "project_domain": "NORMAL"}},
            "serviceCatalog": catalog_v2(turn),
            "user": {"id": tenant.user_id, "username": tenant.user_id, "name": tenant.user_id,
                     "roles": [{"name": "project_admin"}], "roles_links": []},
            "metadata": {"roles": [hex32_of("role")], "is_admin": 0}}}),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3 {
    auth: V3Auth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Auth {
    identity: V3Identity,
    scope: Option<V3Scope>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Identity {
    methods: Vec<String>,
    password: Option<V3Password>,
    application_credential: Option<V3Credential>,
    token: Option<V3Token>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Password {
    user: V3User,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3User {
    id: Option<String>,
    name: Option<String>,
    domain: Option<V3Domain>,
    password: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Domain {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Credential {
    id: Option<String>,
    name: Option<String>,
    secret: String,
    user: Option<V3User>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Token {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Scope {
    project: V3Project,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V3Project {
    id: Option<String>,
    name: Option<String>,
    domain: Option<V3Domain>,
}

fn token_v3(turn: &mut Turn<'_>) -> Outcome {
    let query = turn.ask.query(&["nocatalog"])?;
    let V3 { auth } = turn.ask.json()?;
    let [method] = auth.identity.methods.as_slice() else {
        return Err(Refusal::strict(
            "exactly one of the methods password, application_credential, token is wanted",
        ));
    };
    let method = method.clone();
    let good = match method.as_str() {
        "password" => password_is_good(turn, &auth)?,
        "application_credential" => credential_is_good(turn, &auth)?,
        "token" => token_is_good(turn, &auth)?,
        other => return Err(Refusal::strict(format!("unknown method '{other}'"))),
    };
    let (id, expires) = issue(turn, good)?;
    let tenant = &turn.world.tenant;
    let domain = json!({"id": "default", "name": "Default"});
    let mut body = json!({"token": {
        "methods": [method], "expires_at": micros_z(expires), "issued_at": micros_z(turn.now),
        "audit_ids": [hex32_of(&id)],
        "user": {"id": tenant.user_id, "name": tenant.user, "domain": domain, "password_expires_at": null},
        "project": {"id": tenant.id, "name": tenant.name, "domain": domain}, "is_domain": false,
        "roles": [{"id": hex32_of("role"), "name": "member"}], "catalog": catalog_v3(turn)}});
    if query.get("nocatalog").is_some()
        && let Some(token) = body["token"].as_object_mut()
    {
        token.remove("catalog");
    }
    Ok(Reply::json(201, body)
        .with("X-Subject-Token", id)
        .with("Vary", "X-Auth-Token"))
}

fn password_is_good(turn: &Turn<'_>, auth: &V3Auth) -> Result<bool, Refusal> {
    let Some(V3Password { user }) = &auth.identity.password else {
        return Err(Refusal::strict("'password' is a required property of identity"));
    };
    let tenant = &turn.world.tenant;
    let named = user_is_ours(turn, user)?;
    let scoped = scope_is_ours(turn, auth.scope.as_ref())?;
    Ok(named && scoped && user.password.as_deref() == Some(tenant.password.as_str()))
}

fn credential_is_good(turn: &Turn<'_>, auth: &V3Auth) -> Result<bool, Refusal> {
    let Some(credential) = &auth.identity.application_credential else {
        return Err(Refusal::strict(
            "'application_credential' is a required property of identity",
        ));
    };
    if auth.scope.is_some() {
        return Err(Refusal::new(401, "Application credentials cannot request a scope."));
    }
    let tenant = &turn.world.tenant;
    let known = match (&credential.id, &credential.name, &credential.user) {
        (Some(id), None, None) => *id == tenant.application_credential,
        (None, Some(name), Some(user)) => name == "ci" && user_is_ours(turn, user)?,
        _ => {
            return Err(Refusal::strict(
                "an application credential is named by id, or by name and user",
            ));
        }
    };
    Ok(known && credential.secret == tenant.application_secret)
}

fn token_is_good(turn: &Turn<'_>, auth: &V3Auth) -> Result<bool, Refusal> {
    let Some(V3Token { id }) = &auth.identity.token else {
        return Err(Refusal::strict("'token' is a required property of identity"));
    };
    let scoped = scope_is_ours(turn, auth.scope.as_ref())?;
    Ok(scoped && turn.state.tokens.get(id).is_some_and(|token| turn.now < token.ends))
}

fn user_is_ours(turn: &Turn<'_>, user: &V3User) -> Result<bool, Refusal> {
    let tenant = &turn.world.tenant;
    match (&user.id, &user.name) {
        (Some(id), None) => Ok(*id == tenant.user_id),
        (None, Some(name)) => Ok(name == tenant.user && domain_is_ours(user.domain.as_ref())?),
        _ => Err(Refusal::strict("a user is named by id, or by name and domain")),
    }
}

fn scope_is_ours(turn: &Turn<'_>, scope: Option<&V3Scope>) -> Result<bool, Refusal> {
    let Some(V3Scope { project }) = scope else {
        return Err(Refusal::strict("a scope is wanted: an unscoped token has no catalogue"));
    };
    match (&project.id, &project.name) {
        (Some(id), None) => Ok(*id == turn.world.tenant.id),
        (None, Some(name)) => Ok(name == turn.world.tenant.name && domain_is_ours(project.domain.as_ref())?),
        _ => Err(Refusal::strict("a project is named by id, or by name and domain")),
    }
}

fn domain_is_ours(domain: Option<&V3Domain>) -> Result<bool, Refusal> {
    match domain {
        Some(V3Domain {
            id: Some(id),
            name: None,
        }) => Ok(id == "default"),
        Some(V3Domain {
            id: None,
            name: Some(name),
        }) => Ok(name == "Default"),
        _ => Err(Refusal::strict("a domain is wanted, by id or by name")),
    }
}

/// Gives out a token, unless the credentials are wrong.
fn issue(turn: &mut Turn<'_>, good: bool) -> Result<(String, jiff::Timestamp), Refusal> {
    let faults = &turn.world.faults;
    if !good || faults.strike("wrong-password").is_some() {
        return Err(Refusal::unauthorized());
    }
    let token = Token::new(turn.now, turn.world.mode, faults.strike("token-expires"));
    let id = secret();
    let expires = token.expires;
    turn.state.tokens.insert(id.clone(), token);
    Ok((id, expires))
}

/// Type, name, address of each service.
fn services(turn: &Turn<'_>) -> Vec<(&'static str, &'static str, String)> {
    let world = turn.world;
    let (at, tenant) = (&world.endpoints, &world.tenant.id);
    let (volume_type, volume_name) = world.mode.volume_service();
    let (compute, volume) = match world.mode {
        Mode::Nhn => (
            format!("{}/v2/{tenant}", at.compute),
            format!("{}/v2/{tenant}", at.volume),
        ),
        Mode::Openstack => (format!("{}/v2.1", at.compute), format!("{}/v3/{tenant}", at.volume)),
    };
    let mut services = vec![
        ("compute", "nova", compute),
        ("image", "glance", at.image.clone()),
        ("network", "neutron", at.network.clone()),
        ("identity", "keystone", world.auth_url()),
    ];
    if world.faults.armed("catalog-without-volume").is_none() {
        services.insert(3, (volume_type, volume_name, volume));
    }
    services
}

/// Where the services of the other region would be: an address that nothing answers to.
const NOWHERE: &str = "http://127.0.0.1:9/elsewhere";

fn catalog_v2(turn: &Turn<'_>) -> Value {
    let (here, there) = (turn.world.mode.region(), turn.world.mode.other_region());
    let entry = |(kind, name, url): (&str, &str, String)| {
        json!({"type": kind, "name": name, "endpoints": [
            {"region": there, "publicURL": NOWHERE}, {"region": here, "publicURL": url}]})
    };
    services(turn).into_iter().map(entry).collect()
}

fn catalog_v3(turn: &Turn<'_>) -> Value {
    let (here, there) = (turn.world.mode.region(), turn.world.mode.other_region());
    let endpoint = |interface: &str, region: &str, url: &str| {
        let id = hex32_of(&format!("{interface}/{region}/{url}"));
        json!({"id": id, "interface": interface, "region": region, "region_id": region, "url": url})
    };
    let entry = |(kind, name, url): (&str, &str, String)| {
        json!({"type": kind, "name": name, "id": hex32_of(kind), "endpoints": [
            endpoint("internal", here, NOWHERE), endpoint("public", there, NOWHERE),
            endpoint("admin", here, NOWHERE), endpoint("public", here, &url)]})
    };
    services(turn).into_iter().map(entry).collect()
}
