//! The examples load, and say what they seem to say.

use reseal_diag::SourceText;
use reseal_spec::model::Provider;
use reseal_spec::{load, starter};

use crate::world::{Memory, files_in, inputs, load_file, rendered, root};

#[test]
fn examples_have_no_mistakes() {
    let examples = files_in("examples", ".reseal.yaml");
    assert!(examples.len() >= 5);
    for path in examples {
        let loaded = load_file(&path);
        assert_eq!(rendered(&loaded), "", "{}", path.display());
        assert!(loaded.is_ok() && !loaded.specs.is_empty(), "{}", path.display());
    }
}

#[test]
fn the_web_example_is_read_step_by_step() {
    let loaded = load_file(&root().join("examples/windows-2022-web.reseal.yaml"));
    let spec = loaded.specs.first().unwrap();
    let ids: Vec<&str> = spec.software.iter().map(|step| step.id_slug.as_str()).collect();
    assert_eq!(
        ids,
        [
            "01-windows-feature",
            "02-example-agent",
            "03-example-tool",
            "04-publish-the-site",
            "05-harden-tls",
            "06-tell-who-made-this-image",
            "07-iis-starts-with-windows",
            "08-let-the-web-in",
            "09-reboot"
        ]
    );
    assert_eq!(spec.image.name, "win2022-web-20261123");
    let agent = spec.software.get(1).unwrap();
    assert_eq!(agent.origin.route, "/software/1");
    let line = loaded.line_text(&agent.origin.file, agent.origin.line).unwrap();
    assert!(line.contains("install_msi"), "{line}");
    assert!(spec.scripts.contains_key("scripts/harden-tls.ps1"));
    assert_eq!(spec.checks.len(), 1);
    let json = serde_json::to_string(&agent.step).unwrap();
    assert!(
        json.contains("${agent_token}") && json.contains("monitor.example.com"),
        "{json}"
    );
}

#[test]
fn the_matrix_example_makes_four_builds() {
    let loaded = load_file(&root().join("examples/windows-matrix.reseal.yaml"));
    let names: Vec<&str> = loaded.specs.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["win.2019-EN", "win.2019-KO", "win.2022-EN", "win.2022-KO"]);
    let counts: Vec<(usize, usize)> = loaded
        .specs
        .iter()
        .map(|spec| (spec.software.len(), spec.skipped.len()))
        .collect();
    assert_eq!(counts, [(2, 2), (3, 1), (5, 1), (6, 0)]);
    let page = loaded.specs.get(2).unwrap().software.get(1).unwrap();
    assert_eq!(page.origin.route, "parts/web.yaml#/steps/1");
    let place = loaded.locate(&page.origin.route).unwrap();
    assert_eq!((place.file.as_str(), place.line), ("parts/web.yaml", page.origin.line));
}

#[test]
fn starters_have_no_mistakes() {
    for provider in [Provider::Nhn, Provider::Openstack, Provider::Lab] {
        let text = starter::starter(provider, "schemas/reseal.v1.schema.json");
        let loaded = load(&SourceText::new("starter", text), &inputs(&Memory::default()));
        assert_eq!(rendered(&loaded), "");
        assert_eq!(loaded.specs.first().unwrap().cloud.provider, provider);
    }
    assert!(starter::github_workflow("x.reseal.yaml").contains("reseal build -color=false x.reseal.yaml"));
    assert!(starter::gitlab_pipeline("x.reseal.yaml").contains("reseal validate x.reseal.yaml"));
}
