use super::*;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nmaria:x:1001:1001::/home/maria:/bin/sh\nbroken\n:x:7:7:::\n";

#[test]
fn an_unknown_account_is_named_by_its_number() {
    assert_eq!(Account::find(PASSWD, 4242), Account { name: Token::lossy("uid-4242"), home: None });
    assert_eq!(Account::find(PASSWD, 7).name.as_str(), "uid-7");
}

#[test]
fn a_known_account_has_its_name_and_home() {
    assert_eq!(Account::find(PASSWD, 1001), Account { name: Token::lossy("maria"), home: Some("/home/maria".into()) });
}
