//! Credentials from the environment, from files, and from both.

use std::collections::BTreeMap;

use proptest::prelude::*;
use reseal_machine::cloud::Dialect;
use secrecy::ExposeSecret;

use super::*;

fn resolve(env: &[(&str, &str)], files: &[(&str, &str)], cloud: Option<&str>) -> Result<Credentials, CredentialsError> {
    let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let (env, files) = (owned(env), owned(files));
    Credentials::resolve(&|name| env.get(name).cloned(), &|name| files.get(name).cloned(), cloud)
}

const NHN: &[(&str, &str)] = &[
    (
        "OS_AUTH_URL",
        "https://api-identity-infrastructure.nhncloudservice.com/v2.0/",
    ),
    ("OS_USERNAME", "builder@example.com"),
    ("OS_PASSWORD", "canary-password"),
    ("OS_TENANT_ID", "11112222333344445555666677778888"),
    ("OS_REGION_NAME", "KR1"),
];

const CLOUDS: &str = "
clouds:
  lab:
    auth:
      auth_url: https://os.example/v3
      username: builder
      project_name: images
      user_domain_name: Default
    region_name: RegionOne
    interface: internal
    verify: false
    compute_endpoint_override: https://vm.example/v2.1
  ci:
    auth_type: v3applicationcredential
    auth: { auth_url: 'https://os.example/identity', application_credential_id: 12345 }
    regions: [RegionTwo]
";
const SECURE: &str =
    "clouds: { lab: { auth: { password: canary-password } }, ci: { auth: { application_credential_secret: s } } }";

#[test]
fn the_environment_is_enough() {
    let found = resolve(NHN, &[], None).unwrap();
    assert_eq!(
        found.auth_url,
        "https://api-identity-infrastructure.nhncloudservice.com/v2.0"
    );
    assert_eq!(found.region.as_deref(), Some("KR1"));
    let Auth::Password {
        user,
        password,
        project,
    } = &found.auth
    else {
        panic!("{found:?}")
    };
    assert_eq!(user.user, Named::Name("builder@example.com".to_owned()));
    assert_eq!(
        project.project,
        Named::Id("11112222333344445555666677778888".to_owned())
    );
    assert_eq!(password.expose_secret(), "canary-password");
    assert!(!format!("{found:?}").contains("canary"));
}

#[test]
fn every_missing_name_comes_at_once() {
    let error = resolve(&[("OS_AUTH_URL", "https://x/v3")], &[], None).unwrap_err();
    assert_eq!(error.missing, ["OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_ID"]);
    assert!(error.message.contains("`OS_PASSWORD`"), "{error}");
    let nothing = resolve(&[], &[], None).unwrap_err();
    assert_eq!(nothing.missing.first().map(String::as_str), Some("OS_AUTH_URL"));
    let half = resolve(
        &[
            ("OS_AUTH_URL", "https://x/v3"),
            ("OS_APPLICATION_CREDENTIAL_NAME", "ci"),
        ],
        &[],
        None,
    )
    .unwrap_err();
    assert_eq!(half.missing, ["OS_APPLICATION_CREDENTIAL_SECRET", "OS_USERNAME"]);
}

#[test]
fn a_cloud_is_merged_with_its_secrets() {
    let files = [("clouds.yaml", CLOUDS), ("secure.yaml", SECURE)];
    let lab = resolve(&[("OS_CLOUD", "ci"), ("OS_PROJECT_ID", "other")], &files, Some("lab")).unwrap();
    let Auth::Password { user, project, .. } = &lab.auth else {
        panic!("{lab:?}")
    };
    assert_eq!(user.domain, Domain(Named::Name("Default".to_owned())));
    assert_eq!(
        project.project,
        Named::Name("images".to_owned()),
        "the cloud's project goes before the environment's"
    );
    assert_eq!(project.domain, user.domain);
    assert_eq!((lab.interface, lab.tls.insecure), (Interface::Internal, true));
    assert_eq!(lab.endpoints[&Service::Compute], "https://vm.example/v2.1");

    let ci = resolve(&[("OS_CLOUD", "ci"), ("OS_USERNAME", "other")], &files, None).unwrap();
    let Auth::ApplicationCredential { credential, secret, .. } = &ci.auth else {
        panic!("{ci:?}")
    };
    assert_eq!(
        (credential, secret.expose_secret()),
        (&Named::Id("12345".to_owned()), "s")
    );
    assert_eq!(
        (ci.identity, ci.region.as_deref()),
        (Some(IdentityVersion::V3), Some("RegionTwo"))
    );
}

#[test]
fn an_unknown_cloud_lists_the_known_ones() {
    let error = resolve(&[], &[("clouds.yaml", CLOUDS)], Some("prod")).unwrap_err();
    assert!(
        error.message.contains("`prod`") && error.hints[0].contains("`lab`, `ci`"),
        "{error:?}"
    );
    assert!(resolve(&[], &[], Some("prod")).unwrap_err().hints[0].contains("no `clouds.yaml`"));
}

#[test]
fn the_only_cloud_needs_no_name() {
    let one = "clouds: { one: { auth: { auth_url: 'https://x/v3', token: t } } }";
    assert!(matches!(
        resolve(&[], &[("clouds.yaml", one)], None).unwrap().auth,
        Auth::Token { project: None, .. }
    ));
    assert!(resolve(&[], &[("clouds.yaml", CLOUDS)], None).is_err());
    assert!(matches!(
        resolve(NHN, &[("clouds.yaml", one)], None).unwrap().auth,
        Auth::Password { .. }
    ));
}

#[test]
fn a_profile_stands_below_its_cloud() {
    let clouds = "clouds: { one: { profile: nhn, auth: { username: u, password: p, project_id: t } } }";
    let vendors = "public-clouds: { nhn: { auth: { auth_url: 'https://id.example/v2.0' }, region_name: KR1 } }";
    let found = resolve(
        &[],
        &[("clouds.yaml", clouds), ("clouds-public.yaml", vendors)],
        Some("one"),
    )
    .unwrap();
    assert_eq!(
        (found.auth_url.as_str(), found.region.as_deref()),
        ("https://id.example/v2.0", Some("KR1"))
    );
}

#[test]
fn files_are_read_by_the_caller() {
    let mut env = NHN.to_vec();
    env.extend([("OS_CACERT", "/ca.pem"), ("OS_CERT", "/c.pem"), ("OS_KEY", "/k.pem")]);
    let error = resolve(&env, &[], None).unwrap_err();
    assert!(
        error.message.contains("/ca.pem") && error.message.contains("OS_CACERT"),
        "{error}"
    );
    let tls = resolve(&env, &[("/ca.pem", "CA"), ("/c.pem", "CERT"), ("/k.pem", "KEY")], None)
        .unwrap()
        .tls;
    assert_eq!(tls.ca.as_deref(), Some(&b"CA"[..]));
    assert_eq!(tls.identity.unwrap().expose_secret(), "CERT\nKEY");
}

#[test]
fn bad_values_are_named() {
    let with = |key, value| {
        resolve(&[NHN, &[(key, value)]].concat(), &[], None)
            .unwrap_err()
            .message
    };
    assert!(with("OS_AUTH_URL", "keystone.example").contains("OS_AUTH_URL"));
    assert!(with("OS_AUTH_URL", "https://u:p@keystone.example/v3").contains("must not hold"));
    assert!(with("OS_INTERFACE", "outer").contains("outer"));
    assert!(with("OS_IDENTITY_API_VERSION", "4").contains("`4`"));
    assert!(with("OS_AUTH_TYPE", "v3oidcpassword").contains("v3oidcpassword"));
    let broken = resolve(&[], &[("clouds.yaml", "clouds: { a: [canary")], Some("a")).unwrap_err();
    assert!(
        broken.message.contains("clouds.yaml") && !broken.message.contains("canary"),
        "{broken}"
    );
}

#[test]
fn an_api_user_id_is_remarked() {
    let with = |user, dialect| {
        resolve(&[NHN, &[("OS_USERNAME", user)]].concat(), &[], None)
            .unwrap()
            .remarks(dialect)
    };
    let id = "0123456789abcdef0123456789ABCDEF";
    assert!(with(id, Dialect::Nhn)[0].contains("e-mail"));
    assert!(with("builder@example.com", Dialect::Nhn).is_empty());
    assert!(with(id, Dialect::Openstack).is_empty(), "other clouds have such names");
}

#[test]
fn a_proxy_is_taken_with_its_exceptions() {
    let env = [
        NHN,
        &[("HTTPS_PROXY", "http://u:canary@proxy:3128"), ("NO_PROXY", ".example")],
    ]
    .concat();
    let found = resolve(&env, &[], None).unwrap();
    assert_eq!(found.proxy.as_ref().unwrap().except.as_deref(), Some(".example"));
    assert!(!format!("{found:?}").contains("canary"));
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(at in any::<prop::sample::Index>(), byte in 9_u8..127) {
        let mut bytes = CLOUDS.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let text = String::from_utf8(bytes).unwrap();
        let _ = resolve(&[], &[("clouds.yaml", &text), ("secure.yaml", SECURE)], Some("lab"));
    }
}
