//! The chain as a picture for the terminal, drawn from the claims of the tokens that were issued.

use serde_json::Value;

use super::house::House;
use super::wire::short;

/// Who acts for whom, and with how much.
pub struct Picture {
    user: String,
    given: String,
    taken: String,
    handed: String,
    agents: [(String, String); 2],
    api: String,
    txn: String,
}

/// The inner width of a box.
const WIDTH: usize = 30;

impl Picture {
    /// The picture of three tokens: the application's, agent A's and agent B's.
    #[must_use]
    pub fn of(house: &House, given: &Value, own: &Value, chain: &Value) -> Self {
        let names = |id: &Value| {
            let known = [&house.parties.refund, &house.parties.lookup];
            let found = known.iter().find(|party| *id == party.id);
            found.map_or_else(|| text(id), |party| party.name.to_owned())
        };
        let key = |claims: &Value| format!("key {}", short(&text(&claims["cnf"]["jkt"])));
        Self {
            user: short(&text(&chain["sub"])),
            given: authority(given),
            taken: authority(own),
            handed: authority(chain),
            agents: [
                (names(&chain["act"]["act"]["sub"]), key(own)),
                (names(&chain["act"]["sub"]), key(chain)),
            ],
            api: text(&chain["aud"]),
            txn: text(&chain["txn"]),
        }
    }

    /// The picture, line by line.
    #[must_use]
    pub fn draw(&self) -> String {
        let [(a, a_key), (b, b_key)] = &self.agents;
        let mut lines = vec![edge('┌', '─', '┐')];
        lines.extend([inside("alice, the user"), inside(&format!("sub {}", self.user))]);
        lines.push(edge('└', '▲', '┘'));
        lines.extend(arrow(&format!("consents      {}", self.given)));
        lines.extend(arrow(&format!("A takes       {}", self.taken)));
        lines.push(edge('┌', '┴', '┐'));
        lines.extend([inside(&format!("agent A: {a}")), inside(a_key)]);
        lines.push(edge('└', '▲', '┘'));
        lines.extend(arrow(&format!("A hands over  {}", self.handed)));
        lines.push(edge('┌', '┴', '┐'));
        lines.extend([inside(&format!("agent B: {b}")), inside(b_key)]);
        lines.push(edge('└', '┬', '┘'));
        lines.push(format!("{}▼", " ".repeat(3 + WIDTH / 2)));
        lines.push(format!("   {}   sees sub, act, act.act: B acts for alice, asked by A", self.api));
        lines.push(format!("   txn {}   the one task, in every token", self.txn));
        lines.join("\n")
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What a token permits, in a line.
fn authority(claims: &Value) -> String {
    let mut parts = vec![text(&claims["scope"])];
    for task in claims["authorization_details"].as_array().into_iter().flatten() {
        let actions: Vec<String> = task["actions"].as_array().into_iter().flatten().map(text).collect();
        parts.push(actions.join(", "));
        if let Some(most) = task["max_amount"].as_f64() {
            parts.push(format!("at most {most} {}", text(&task["currency"])));
        }
    }
    parts.join(" · ")
}

fn edge(left: char, middle: char, right: char) -> String {
    let (before, after) = ("─".repeat(WIDTH / 2), "─".repeat(WIDTH - WIDTH / 2 - 1));
    format!("  {left}{before}{middle}{after}{right}")
}

fn inside(words: &str) -> String {
    format!("  │ {words:<width$}│", width = WIDTH - 1)
}

fn arrow(words: &str) -> [String; 1] {
    [format!("{}│  {words}", " ".repeat(3 + WIDTH / 2))]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_lines_of_a_box_are_equally_long() {
        let long = [edge('┌', '─', '┐'), inside("agent A: Refund Agent"), edge('└', '▲', '┘')];
        let lengths: Vec<usize> = long.iter().map(|line| line.chars().count()).collect();
        assert_eq!(lengths, [lengths[0]; 3]);
    }

    #[test]
    fn what_a_token_permits_stands_in_one_line() {
        let claims = json!({"scope": "a b", "authorization_details": [
            {"actions": ["read", "refund"], "max_amount": 20.5, "currency": "EUR"}
        ]});
        assert_eq!(authority(&claims), "a b · read, refund · at most 20.5 EUR");
    }
}
