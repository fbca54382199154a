//! Reads Rust source as far as the floors need it: which paths it names.

use std::fs;
use std::path::Path;

/// A path that a source names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Import {
    /// Of this crate, from its root.
    Ours(Vec<String>),
    /// Of whatever else begins a path: a library, a type, a local module.
    Other(Vec<String>),
}

impl Import {
    /// The path in this crate.
    pub fn ours(&self) -> Option<&[String]> {
        match self {
            Self::Ours(path) => Some(path),
            Self::Other(_) => None,
        }
    }

    /// Any other path.
    pub fn path(&self) -> Option<&[String]> {
        match self {
            Self::Ours(_) => None,
            Self::Other(path) => Some(path),
        }
    }

    /// What may be the name of a library: the first word of a path that begins in lower case.
    pub fn library(&self) -> Option<&str> {
        let first = self.path()?.first()?.as_str();
        let library =
            first.starts_with(|c: char| c.is_ascii_lowercase()) && first != "self" && first != "std";
        library.then_some(first)
    }
}

/// A source file.
#[derive(Debug)]
pub struct Source {
    /// Its name, for people.
    pub file: String,
    /// Its module path in its crate.
    pub module: Vec<String>,
    /// The paths it names, each with its line.
    pub imports: Vec<(usize, Import)>,
    /// Every word outside comments and texts, with its line.
    pub words: Vec<(usize, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Word(String),
    Sep,
    Open,
    Close,
    Comma,
    Other(char),
}

/// Every Rust source below `folder`.
pub fn sources(folder: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    walk(folder, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no source below {}", folder.display());
    let read = |path: &std::path::PathBuf| {
        let within = path.strip_prefix(folder).expect("a file below its folder").with_extension("");
        let mut module: Vec<&str> = within.iter().map(|part| part.to_str().expect("plain names")).collect();
        if module.last() == Some(&"mod") {
            module.pop();
        }
        let text = fs::read_to_string(path).expect("a source that can be read");
        let file = path.strip_prefix(super::root()).unwrap_or(path);
        Source::read(&file.display().to_string(), &module, &text)
    };
    files.iter().map(read).collect()
}

fn walk(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

impl Source {
    /// Reads the text of the file that is `module` of its crate.
    pub fn read(file: &str, module: &[&str], text: &str) -> Self {
        let module: Vec<String> = module.iter().map(|&part| part.to_owned()).collect();
        let tokens = tokens(text);
        let root = matches!(module.as_slice(), [only] if only == "lib" || only == "main");
        let here = if root { Vec::new() } else { module.clone() };
        let words = tokens.iter().filter_map(|(line, token)| match token {
            Token::Word(word) => Some((*line, word.clone())),
            _ => None,
        });
        Self { file: file.to_owned(), words: words.collect(), imports: imports(&tokens, here), module }
    }
}

/// Every path of the tokens of the module `here`.
fn imports(tokens: &[(usize, Token)], here: Vec<String>) -> Vec<(usize, Import)> {
    let at = |index: usize| tokens.get(index).map(|(_, token)| token);
    let word = |index: usize| match at(index) {
        Some(Token::Word(word)) => Some(word.as_str()),
        _ => None,
    };
    let mut found = Vec::new();
    // One entry for each open brace: the name of the module that it opens, if it does.
    let mut braces: Vec<Option<String>> = Vec::new();
    for index in 0..tokens.len() {
        match &tokens[index].1 {
            Token::Open => {
                // `mod name {`, and `mod $name {` in a macro.
                let dollar = index >= 3 && at(index - 2) == Some(&Token::Other('$'));
                let opens = index >= 2 && word(index - if dollar { 3 } else { 2 }) == Some("mod");
                braces.push(opens.then(|| word(index - 1).unwrap_or_default().to_owned()));
            }
            Token::Close => {
                braces.pop();
            }
            Token::Word(first) => {
                let before = index.checked_sub(1).and_then(at);
                let inside = match before {
                    Some(Token::Other('.')) => true,
                    Some(Token::Sep) => match index.checked_sub(2).and_then(at) {
                        Some(Token::Word(word)) => word != "use" && word != "in",
                        Some(Token::Other(sign)) => *sign == '>',
                        _ => false,
                    },
                    _ => false,
                };
                let goes_on = at(index + 1) == Some(&Token::Sep);
                let named = before == Some(&Token::Word("use".to_owned()));
                let begins = !inside && (named || goes_on) && !in_use_tree(tokens, index);
                if !begins {
                    continue;
                }
                let line = tokens[index].0;
                let modules = || here.iter().cloned().chain(braces.iter().flatten().cloned());
                match first.as_str() {
                    "crate" | "server" => {
                        let paths = expand(tokens, index + 2, &[]);
                        let all =
                            |path: Vec<String>| if path.is_empty() { vec!["*".to_owned()] } else { path };
                        found.extend(paths.into_iter().map(|path| (line, Import::Ours(all(path)))));
                    }
                    "super" => {
                        let mut base: Vec<String> = modules().collect();
                        let mut next = index;
                        while word(next) == Some("super") {
                            base.pop();
                            next += 2;
                        }
                        let paths = expand(tokens, next, &base);
                        found.extend(paths.into_iter().map(|path| (line, Import::Ours(path))));
                    }
                    _ => {
                        let paths = expand(tokens, index, &[]);
                        found.extend(paths.into_iter().map(|path| (line, Import::Other(path))));
                    }
                }
            }
            Token::Sep | Token::Comma | Token::Other(_) => {}
        }
    }
    found.retain(|(_, import)| import.ours().is_none_or(|path| !path.is_empty()));
    found
}

/// Whether the word at `index` stands in a brace that follows a path, as in `a::{b, c}`: then it begins none.
fn in_use_tree(tokens: &[(usize, Token)], index: usize) -> bool {
    let mut depth = 0;
    for at in (0..index).rev() {
        match tokens[at].1 {
            Token::Close => depth += 1,
            Token::Open if depth == 0 => return at > 0 && tokens[at - 1].1 == Token::Sep,
            Token::Open => depth -= 1,
            _ => {}
        }
    }
    false
}

/// The paths that begin at `index`, each behind `base`: one, or as many as its braces hold. A star is left out.
fn expand(tokens: &[(usize, Token)], index: usize, base: &[String]) -> Vec<Vec<String>> {
    let at = |index: usize| tokens.get(index).map(|(_, token)| token);
    match at(index) {
        Some(Token::Word(word)) if word == "self" => vec![base.to_vec()],
        Some(Token::Word(word)) => {
            let path: Vec<String> = base.iter().cloned().chain([word.clone()]).collect();
            match (at(index + 1), at(index + 2)) {
                (Some(Token::Sep), Some(Token::Word(_) | Token::Open)) => expand(tokens, index + 2, &path),
                _ => vec![path],
            }
        }
        Some(Token::Open) => {
            let mut all = expand(tokens, index + 1, base);
            let mut depth = 1;
            let mut next = index + 1;
            while depth > 0 && next < tokens.len() {
                match tokens[next].1 {
                    Token::Open => depth += 1,
                    Token::Close => depth -= 1,
                    Token::Comma if depth == 1 && at(next + 1) != Some(&Token::Close) => {
                        all.extend(expand(tokens, next + 1, base));
                    }
                    _ => {}
                }
                next += 1;
            }
            all
        }
        _ => vec![base.to_vec()],
    }
}

/// Splits a text into words and signs, each with its line, without comments and literals.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let (mut index, mut line) = (0, 1);
    while index < chars.len() {
        let from = index;
        let c = at(index);
        if c == '/' && at(index + 1) == '/' {
            while index < chars.len() && at(index) != '\n' {
                index += 1;
            }
        } else if c == '/' && at(index + 1) == '*' {
            let mut depth = 0;
            while index < chars.len() {
                match (at(index), at(index + 1)) {
                    ('/', '*') => (depth, index) = (depth + 1, index + 2),
                    ('*', '/') => (depth, index) = (depth - 1, index + 2),
                    _ => index += 1,
                }
                if depth == 0 {
                    break;
                }
            }
        } else if c == '"' {
            index = end_of_text(&chars, index + 1);
        } else if let Some(end) = end_of_raw_text(&chars, index) {
            index = end;
        } else if c == '\'' {
            // A character, or the mark of a lifetime.
            index = match (at(index + 1), at(index + 2)) {
                ('\\', _) => (index + 3..chars.len()).find(|&i| at(i) == '\'').map_or(chars.len(), |i| i + 1),
                (_, '\'') => index + 3,
                _ => index + 1,
            };
        } else if c.is_alphabetic() || c == '_' {
            while at(index).is_alphanumeric() || at(index) == '_' {
                index += 1;
            }
            tokens.push((line, Token::Word(chars[from..index].iter().collect())));
        } else if c == ':' && at(index + 1) == ':' {
            index += 2;
            tokens.push((line, Token::Sep));
        } else {
            index += 1;
            match c {
                '{' => tokens.push((line, Token::Open)),
                '}' => tokens.push((line, Token::Close)),
                ',' => tokens.push((line, Token::Comma)),
                c if c.is_whitespace() => {}
                c => tokens.push((line, Token::Other(c))),
            }
        }
        line += chars[from..index].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

fn end_of_text(chars: &[char], mut index: usize) -> usize {
    while index < chars.len() && chars[index] != '"' {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

/// Where `r"…"`, `br#"…"#` and their like end, if one begins here.
fn end_of_raw_text(chars: &[char], index: usize) -> Option<usize> {
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let joined = index > 0 && (at(index - 1).is_alphanumeric() || at(index - 1) == '_');
    let start = if at(index) == 'b' { index + 1 } else { index };
    if joined || at(start) != 'r' {
        return None;
    }
    let hashes = (start + 1..).take_while(|&i| at(i) == '#').count();
    let quote = start + 1 + hashes;
    if at(quote) != '"' {
        return None;
    }
    let ends = |i: &usize| at(*i) == '"' && (1..=hashes).all(|n| at(i + n) == '#');
    (quote + 1..chars.len()).find(ends).map(|i| i + 1 + hashes)
}
