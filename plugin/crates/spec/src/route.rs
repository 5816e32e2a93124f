//! Routes: JSON pointers into a spec.

/// The route of a member of a mapping.
pub fn member(route: &str, key: &str) -> String {
    if key.contains(['~', '/']) {
        format!("{route}/{}", key.replace('~', "~0").replace('/', "~1"))
    } else {
        format!("{route}/{key}")
    }
}

/// The route of an item of a list.
pub fn item(route: &str, index: usize) -> String {
    format!("{route}/{index}")
}

/// The route around a route; `None` for the whole document.
pub fn parent(route: &str) -> Option<&str> {
    route.rsplit_once('/').map(|(parent, _)| parent)
}

/// The last part of a route, unescaped.
pub fn last(route: &str) -> String {
    let last = route.rsplit_once('/').map_or("", |(_, last)| last);
    last.replace("~1", "/").replace("~0", "~")
}

/// The file and the pointer of a route: `parts/a.yaml#/steps/0` is in another file, `/software/0` in the spec itself.
pub fn split(route: &str) -> (Option<&str>, &str) {
    match route.split_once('#') {
        Some((file, pointer)) if !route.starts_with('/') => (Some(file), pointer),
        _ => (None, route),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_json_pointers() {
        let route = member(&item("/software", 3), "a/b~c");
        assert_eq!(route, "/software/3/a~1b~0c");
        assert_eq!(last(&route), "a/b~c");
        assert_eq!(parent(&route), Some("/software/3"));
        assert_eq!(parent(""), None);
        assert_eq!(split("parts/a.yaml#/steps/0"), (Some("parts/a.yaml"), "/steps/0"));
        assert_eq!(split("/software/0"), (None, "/software/0"));
    }
}
