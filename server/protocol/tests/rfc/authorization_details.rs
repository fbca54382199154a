//! RFC 9396 §2 and §4.

use protocol::authorization_details::AuthorizationDetails;

#[test]
fn section_2_uses_the_common_fields() {
    let details = AuthorizationDetails::parse(
        r#"[
            {
                "type": "customer_information",
                "locations": ["https://example.com/customers"],
                "actions": ["read", "write"],
                "datatypes": ["contacts", "photos"]
            }
        ]"#,
    );
    let detail = &details.unwrap().0[0];
    assert_eq!(detail.type_name().as_str(), "customer_information");
    assert_eq!(detail.locations().unwrap().collect::<Vec<_>>(), ["https://example.com/customers"]);
}

#[test]
fn section_4_asks_for_two_types_in_one_request() {
    let printed = r#"[
        {
            "type": "account_information",
            "actions": ["list_accounts", "read_balances", "read_transactions"],
            "locations": ["https://example.com/accounts"]
        },
        {
            "type": "payment_initiation",
            "actions": ["initiate", "status", "cancel"],
            "locations": ["https://example.com/payments"],
            "instructedAmount": {"currency": "EUR", "amount": "123.50"},
            "creditorName": "Merchant A",
            "creditorAccount": {"iban": "DE02100100109307118603"},
            "remittanceInformationUnstructured": "Ref Number Merchant"
        }
    ]"#;
    let details = AuthorizationDetails::parse(printed).unwrap();
    let types: Vec<_> = details.iter().map(|detail| detail.type_name().as_str()).collect();
    assert_eq!(types, ["account_information", "payment_initiation"]);
    assert_eq!(details.to_claim(), serde_json::from_str(printed).ok());
}
