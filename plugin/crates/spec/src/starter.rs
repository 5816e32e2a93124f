//! What `init` writes.

use crate::model::Provider;

/// A spec to begin with. `schema` is the address or relative path of the JSON Schema for its first line.
pub fn starter(provider: Provider, schema: &str) -> String {
    let template = match provider {
        Provider::Nhn | Provider::Lab => include_str!("../starter/nhn.reseal.yaml"),
        Provider::Openstack => include_str!("../starter/openstack.reseal.yaml"),
    };
    let text = template.replace("SCHEMA", schema);
    match provider {
        Provider::Lab => text.replace("provider: nhn ", "provider: lab "),
        _ => text,
    }
}

/// A GitHub workflow that plans on pull requests and builds on the main branch.
pub fn github_workflow(spec: &str) -> String {
    include_str!("../starter/github.yml").replace("SPEC", spec)
}

/// A GitLab pipeline that does the same.
pub fn gitlab_pipeline(spec: &str) -> String {
    include_str!("../starter/gitlab.yml").replace("SPEC", spec)
}
