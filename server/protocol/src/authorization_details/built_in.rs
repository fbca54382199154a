//! The details types that ship with Procura.

use super::details_type::DetailsTypeDocument;

/// `agent_task` (a piece of work in general), `mcp_tool` (tools of an MCP server) and `vault:path_access`
/// (paths of a HashiCorp Vault, in the form that its enterprise edition enforces).
#[must_use]
pub fn documents() -> Vec<DetailsTypeDocument> {
    let written = [
        include_str!("agent_task.json"),
        include_str!("mcp_tool.json"),
        include_str!("vault_path_access.json"),
    ];
    written.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::DetailsTypes;

    #[test]
    fn all_three_are_read_and_compile() {
        let names: Vec<_> = super::documents().into_iter().map(|d| d.name.to_string()).collect();
        assert_eq!(names, ["agent_task", "mcp_tool", "vault:path_access"]);
        assert!(DetailsTypes::new(super::documents()).is_ok());
    }
}
