//! How the demo speaks to people: a few lines for each step, and colour where there is a terminal that wants it.

use std::io::{self, IsTerminal as _, Write};

use serde_json::Value;

use super::house::House;
use super::step::Step;
use super::wire::short;

/// Writes to standard output.
pub struct Voice {
    colour: bool,
    steps: usize,
}

impl Voice {
    /// In colour where standard output is a terminal and `NO_COLOR` is not set.
    #[must_use]
    pub fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: !plain && io::stdout().is_terminal(), steps: 0 }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Writes text as it is.
    ///
    /// # Errors
    /// Standard output's.
    pub fn say(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Tells a step.
    ///
    /// # Errors
    /// Standard output's.
    pub fn tell(&mut self, step: &Step) -> io::Result<()> {
        self.steps += 1;
        let mark = if step.ok() { self.paint("32", "✓") } else { self.paint("31", "✗") };
        let mut lines = vec![format!("\n{mark} {:>2}  {}", self.steps, self.paint("1", step.name))];
        lines.extend(wrapped(step.telling).into_iter().map(|line| format!("      {line}")));
        if let Some(exchange) = &step.exchange {
            let line = format!("{} {} → {}", exchange.method, exchange.url, exchange.status);
            lines.push(format!("      {}", self.paint("36", &line)));
        }
        let answer = step.answer();
        if let (Some(error), Some(why)) = (answer["error"].as_str(), answer["error_description"].as_str()) {
            lines.push(format!("      {}", self.paint("33", &format!("{error}: {why}"))));
        }
        if answer["active"] == Value::Bool(false) {
            lines.push(format!("      {}", self.paint("33", &answer.to_string())));
        }
        if !answer["done"].is_null() {
            lines.push(format!("      {}", self.paint("2", &answer["done"].to_string())));
        }
        lines.extend(
            step.claims.iter().flat_map(shown).map(|line| format!("      {}", self.paint("2", &line))),
        );
        lines.extend(step.problems.iter().map(|problem| format!("      {}", self.paint("31", problem))));
        self.say(&lines.join("\n"))
    }

    /// Says where to go on by hand.
    ///
    /// # Errors
    /// Standard output's.
    pub fn invite(&self, house: &House, link: &str) -> io::Result<()> {
        let (issuer, passwords) = (&house.at.issuer, &house.passwords);
        self.say(&format!(
            "\n{}\n\n  as alice  password {}\n    what she allowed   {issuer}/account\n    a new request      {link}\n\
             \n  as admin  password {}\n    everything         {issuer}/admin\n\
             \n{}",
            self.paint("1", "The house stays open. In a browser on this machine:"),
            self.paint("1", &passwords.alice),
            self.paint("1", &passwords.admin),
            "Ctrl-C ends it, and nothing of it remains."
        ))
    }
}

impl Default for Voice {
    fn default() -> Self {
        Self::new()
    }
}

/// The claims that tell the story.
fn shown(claims: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push(format!("{name:<9}{value}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    line("sub", text(&claims["sub"]));
    line("aud", text(&claims["aud"]));
    let mut actors = Vec::new();
    let mut act = claims.get("act");
    while let Some(actor) = act {
        actors.push(text(&actor["sub"]));
        act = actor.get("act");
    }
    if !actors.is_empty() {
        line("act", actors.join(" ← "));
    }
    if !claims["may_act"].is_null() {
        line("may_act", text(&claims["may_act"]["sub"]));
    }
    line("scope", text(&claims["scope"]));
    for task in claims["authorization_details"].as_array().into_iter().flatten() {
        line("task", format!("{}, max_amount {}", task["actions"], task["max_amount"]));
    }
    if !claims["cnf"].is_null() {
        line("cnf.jkt", short(&text(&claims["cnf"]["jkt"])));
    }
    line("txn", text(&claims["txn"]));
    lines
}

/// Words in lines of at most 96 characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 96 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
