//! Addresses by their templates, taken from the API's document: for `Allow`, and as bounded labels of
//! metrics.

use std::sync::LazyLock;

use super::openapi;

/// An address of the API.
pub(super) struct Template {
    /// Such as `/api/v1/users/{id}`.
    pub(super) path: String,
    /// The methods it takes, as `Allow` says them.
    pub(super) allow: String,
}

/// The template of a path, if it is one of the API's. As for the routes, a slash at the end changes nothing.
pub(super) fn find(path: &str) -> Option<&'static Template> {
    static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(all);
    let path = path.strip_suffix('/').unwrap_or(path);
    TEMPLATES.iter().find(|template| matches(&template.path, path))
}

fn all() -> Vec<Template> {
    let paths = openapi::document().paths.paths.iter();
    paths
        .map(|(path, item)| {
            let methods = [
                (item.get.is_some(), "GET, HEAD"),
                (item.put.is_some(), "PUT"),
                (item.post.is_some(), "POST"),
                (item.patch.is_some(), "PATCH"),
                (item.delete.is_some(), "DELETE"),
            ];
            let allow: Vec<_> = methods.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect();
            Template { path: path.clone(), allow: allow.join(", ") }
        })
        .collect()
}

fn matches(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given))
                if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_templates() {
        let allow = |path: &str| find(path).map(|template| (template.path.as_str(), template.allow.as_str()));
        assert_eq!(allow("/api/v1/me"), Some(("/api/v1/me", "GET, HEAD, PATCH")));
        assert_eq!(allow("/api/v1/users/x"), Some(("/api/v1/users/{id}", "GET, HEAD")));
        assert_eq!(
            allow("/api/v1/conversations/1/messages"),
            Some(("/api/v1/conversations/{id}/messages", "GET, HEAD, POST"))
        );
        assert_eq!(allow("/api/v1/users/"), allow("/api/v1/users"));
        assert_eq!(allow("/api/v1/users//"), None);
        assert_eq!(allow("/"), None);
        assert_eq!(allow("/api/v1/users/1/2"), None);
        assert_eq!(allow("/nowhere"), None);
    }
}
