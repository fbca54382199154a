//! The forms of a page, read from its HTML the way a browser without scripts would.

/// A form as it would be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// What is filled in, in the order of the page: hidden and text fields, ticked boxes, chosen options.
    pub fields: Vec<(String, String)>,
    /// What can be chosen, by the name of the field.
    pub options: Vec<(String, String)>,
    /// The buttons that have a name.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// Every form of a page.
    #[must_use]
    pub fn all(html: &str) -> Vec<Self> {
        let mut forms: Vec<Self> = Vec::new();
        let mut select = String::new();
        for tag in tags(html) {
            let attribute = |name: &str| tag.attribute(name);
            if tag.name == "form" {
                let action = attribute("action").unwrap_or_default();
                forms.push(Self { action, fields: Vec::new(), options: Vec::new(), buttons: Vec::new() });
            }
            let Some(form) = forms.last_mut() else { continue };
            let pair = || Some((attribute("name")?, attribute("value").unwrap_or_else(|| "on".into())));
            match tag.name.as_str() {
                "input" if attribute("disabled").is_some() => {}
                "input" => match attribute("type").unwrap_or_default().as_str() {
                    "checkbox" | "radio" if attribute("checked").is_none() => {}
                    "checkbox" | "radio" => form.fields.extend(pair()),
                    _ => form
                        .fields
                        .extend(attribute("name").map(|n| (n, attribute("value").unwrap_or_default()))),
                },
                "select" => select = attribute("name").unwrap_or_default(),
                "option" => {
                    let value = attribute("value").unwrap_or_default();
                    let first = !form.options.iter().any(|(name, _)| *name == select);
                    form.options.push((select.clone(), value.clone()));
                    if first {
                        form.fields.push((select.clone(), value));
                    } else if attribute("selected").is_some() {
                        form.fill(&select.clone(), &value);
                    }
                }
                "button" => form.buttons.extend(pair()),
                _ => {}
            }
        }
        forms
    }

    /// The value of a field; empty where there is none.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// All values of a field.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Fills a field in, or chooses an option.
    pub fn fill(&mut self, name: &str, value: &str) -> &mut Self {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.into(), value.into())),
        }
        self
    }

    /// Adds a field, beside others of its name: what no honest browser would do.
    pub fn add(&mut self, name: &str, value: &str) -> &mut Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Takes the tick from a box.
    ///
    /// # Panics
    /// Where there was none.
    #[track_caller]
    pub fn untick(&mut self, name: &str, value: &str) -> &mut Self {
        let before = self.fields.len();
        self.fields.retain(|(known, old)| known != name || old != value);
        assert!(self.fields.len() < before, "no ticked box {name}={value} in {:?}", self.fields);
        self
    }

    /// Takes every field of this name out.
    pub fn without(&mut self, name: &str) -> &mut Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        rest = &rest[name.len()..];
        if name.is_empty() {
            continue;
        }
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            let attribute: String =
                rest.chars().take_while(|c| !c.is_whitespace() && !"=>/".contains(*c)).collect();
            rest = &rest[attribute.len()..];
            if attribute.is_empty() {
                break;
            }
            let value = match rest.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"')) {
                Some((value, after)) => {
                    rest = after;
                    value
                }
                None => "",
            };
            attributes.push((attribute, unescape(value)));
        }
        tags.push(Tag { name, attributes });
    }
    tags
}

/// An attribute of the element of this id.
pub(crate) fn data(html: &str, id: &str, attribute: &str) -> Option<String> {
    let found = tags(html).into_iter().find(|tag| tag.attribute("id").as_deref() == Some(id))?;
    found.attribute(attribute)
}

/// Text as it stood before it was escaped.
pub(crate) fn unescape(text: &str) -> String {
    let known =
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&lt;", "<"), ("&gt;", ">")];
    let known = known.iter().chain(&[("&quot;", "\""), ("&#x27;", "'"), ("&#38;", "&"), ("&amp;", "&")]);
    known.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_form_is_read_as_a_browser_would_send_it() {
        let html = r#"<form action="/go"><input type="hidden" name="h" value="a&#34;b"><input name="t">
            <input type="checkbox" name="c" value="1" checked><input type="checkbox" name="c" value="2">
            <input type="checkbox" name="d" value="3" checked disabled>
            <select name="s"><option value="x">X</option><option value="y" selected>Y</option></select>
            <button name="decision" value="deny">No</button></form>"#;
        let forms = Form::all(html);
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect()
        };
        assert_eq!(forms.len(), 1);
        assert_eq!(forms[0].action, "/go");
        assert_eq!(forms[0].fields, pairs(&[("h", "a\"b"), ("t", ""), ("c", "1"), ("s", "y")]));
        assert_eq!(forms[0].options, pairs(&[("s", "x"), ("s", "y")]));
        assert_eq!(forms[0].buttons, pairs(&[("decision", "deny")]));
    }
}
