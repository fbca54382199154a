//! HTML forms, as far as plain ones go: found by the id of an element, filled in, sent. No JavaScript.

/// An element's start tag.
#[derive(Clone, Debug)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    closes: bool,
    /// Where its text begins.
    after: usize,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A form as it would be sent.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where to.
    pub action: String,
    /// Whether by POST.
    pub post: bool,
    /// The fields with their values so far.
    pub fields: Vec<(String, String)>,
    /// The ids of elements with the names and values of their fields.
    ids: Vec<(String, String, String)>,
}

impl Form {
    /// The form of a page that holds the element with this id.
    #[must_use]
    pub fn with(page: &str, id: &str) -> Option<Self> {
        forms(page).into_iter().find(|form| form.ids.iter().any(|(known, _, _)| known == id))
    }

    /// Fills in the field whose element has this id.
    pub fn fill(&mut self, id: &str, text: &str) {
        if let Some((_, name, _)) = self.ids.iter().find(|(known, _, _)| known == id).cloned() {
            self.fields.retain(|(known, _)| *known != name);
            self.fields.push((name, text.to_owned()));
        }
    }

    /// Presses the button with this id.
    pub fn press(&mut self, id: &str) {
        let button = self.ids.iter().find(|(known, name, _)| known == id && !name.is_empty()).cloned();
        self.fields.extend(button.map(|(_, name, value)| (name, value)));
    }
}

/// Whether a page has an element with this id.
#[must_use]
pub fn has(page: &str, id: &str) -> bool {
    tags(page).iter().any(|tag| tag.get("id") == Some(id))
}

/// Where the links of a page lead.
#[must_use]
pub fn links(page: &str) -> Vec<String> {
    let links = tags(page).into_iter().filter(|tag| tag.name == "a");
    links.filter_map(|tag| tag.get("href").map(str::to_owned)).collect()
}

fn forms(page: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut open = false;
    let mut select: Option<(String, bool)> = None;
    for tag in tags(page) {
        if tag.name == "form" {
            open = !tag.closes;
            if open {
                let post = tag.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
                let action = tag.get("action").unwrap_or_default().to_owned();
                forms.push(Form { action, post, fields: Vec::new(), ids: Vec::new() });
            }
            continue;
        }
        let Some(form) = forms.last_mut().filter(|_| open) else { continue };
        if tag.closes {
            if tag.name == "select" {
                select = None;
            }
            continue;
        }
        field(form, &tag, &mut select, page);
    }
    forms
}

fn field(form: &mut Form, tag: &Tag, select: &mut Option<(String, bool)>, page: &str) {
    let text = |name: &str| tag.get(name).unwrap_or_default().to_owned();
    let is = |name: &str| tag.get(name).is_some();
    match tag.name.as_str() {
        "input" | "button" | "textarea" => {
            let kind = tag.get("type").unwrap_or("text").to_ascii_lowercase();
            let default = if matches!(kind.as_str(), "checkbox" | "radio") { "on" } else { "" };
            let value = match tag.name.as_str() {
                "textarea" => decode(page[tag.after..].split('<').next().unwrap_or_default()),
                _ => tag.get("value").unwrap_or(default).to_owned(),
            };
            form.ids.push((text("id"), text("name"), value.clone()));
            let pressed =
                tag.name == "button" || matches!(kind.as_str(), "submit" | "image" | "button" | "reset");
            let unticked = matches!(kind.as_str(), "checkbox" | "radio") && !is("checked");
            if is("name") && !is("disabled") && !pressed && !unticked {
                form.fields.push((text("name"), value));
            }
        }
        "select" => {
            form.ids.push((text("id"), text("name"), String::new()));
            *select = Some((text("name"), false));
        }
        "option" => {
            if let Some((name, chosen)) = select {
                let value = tag.get("value").unwrap_or_default().to_owned();
                if *chosen && is("selected") {
                    form.fields.pop();
                }
                if !*chosen || is("selected") {
                    form.fields.push((name.clone(), value));
                    *chosen = true;
                }
            }
        }
        _ => {}
    }
}

fn tags(page: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = page[at..].find('<').map(|offset| at + offset) {
        if page[start..].starts_with("<!--") {
            at = page[start..].find("-->").map_or(page.len(), |end| start + end + 3);
            continue;
        }
        let end = end_of_tag(page, start + 1);
        let inner = &page[start + 1..end.saturating_sub(1).max(start + 1)];
        if let Some(tag) = tag(inner, end) {
            found.push(tag);
        }
        at = end;
    }
    found
}

/// Behind the `>` that ends the tag; one inside quotes does not.
fn end_of_tag(page: &str, start: usize) -> usize {
    let mut quote = None;
    for (offset, c) in page[start..].char_indices() {
        match (quote, c) {
            (None, '>') => return start + offset + 1,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    page.len()
}

fn tag(inner: &str, after: usize) -> Option<Tag> {
    let closes = inner.starts_with('/');
    let inner = inner.trim_start_matches('/').trim_end_matches('/');
    let name_ends = inner.find(|c: char| c.is_whitespace()).unwrap_or(inner.len());
    let name = inner[..name_ends].to_ascii_lowercase();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut attributes = Vec::new();
    let mut rest = inner[name_ends..].trim_start();
    while !rest.is_empty() {
        let ends = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len()).max(1);
        let attribute = rest.get(..ends)?.to_ascii_lowercase();
        rest = rest.get(ends..)?.trim_start();
        let mut value = String::new();
        if let Some(behind) = rest.strip_prefix('=') {
            let behind = behind.trim_start();
            let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (text, more) = match quote {
                Some(quote) => behind[1..].split_once(quote).unwrap_or((&behind[1..], "")),
                None => behind.split_at(behind.find(char::is_whitespace).unwrap_or(behind.len())),
            };
            value = decode(text);
            rest = more.trim_start();
        }
        attributes.push((attribute, value));
    }
    Some(Tag { name, attributes, closes, after })
}

/// The character references that forms hold.
fn decode(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find(';').filter(|end| *end < 10) else {
            decoded.push('&');
            rest = &rest[1..];
            continue;
        };
        let name = &rest[1..end];
        let number = match name.strip_prefix('#') {
            Some(hex) if hex.starts_with(['x', 'X']) => u32::from_str_radix(&hex[1..], 16).ok(),
            Some(digits) => digits.parse().ok(),
            None => None,
        };
        let known = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number.and_then(char::from_u32),
        };
        match known {
            Some(c) => decoded.push(c),
            None => decoded.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    decoded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!-- <form id=x> --><form method="post" action="/go?a=1&amp;b=2">
        <input type="hidden" name="csrf" value="a&quot;&#x26;b > c"><input id="name" name="n" required>
        <input type="checkbox" name="scope" value="a" checked><input type="checkbox" name="scope" value="b">
        <input type="checkbox" name="scope" value="c" checked disabled>
        <select id="until" name="until"><option value="1">1</option><option value="2" selected>2</option></select>
        <button id="no" name="d" value="deny">No</button><button id="yes" name="d" value="approve">Yes</button>
        </form>"#;

    #[test]
    fn a_form_is_sent_as_a_browser_would() {
        let mut form = Form::with(PAGE, "yes").unwrap();
        form.fill("name", "alice");
        form.press("yes");
        let fields: Vec<_> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let expected =
            [("csrf", "a\"&b > c"), ("scope", "a"), ("until", "2"), ("n", "alice"), ("d", "approve")];
        assert_eq!(fields, expected);
        assert_eq!((form.action.as_str(), form.post), ("/go?a=1&b=2", true));
    }

    #[test]
    fn links_are_found_with_their_addresses_as_they_are_meant() {
        assert_eq!(links("<a>x</a><a class=b href=\"/a?b=1&amp;c=2\">x</a><link href=/d>"), ["/a?b=1&c=2"]);
    }

    #[test]
    fn an_element_is_found_by_its_id() {
        assert!(has(PAGE, "until") && !has(PAGE, "x") && Form::with(PAGE, "gone").is_none());
    }
}
