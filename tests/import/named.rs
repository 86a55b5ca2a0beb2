//! Messages to somebody who is known by a name.

use crate::guesses::{imported, of_tabs};

#[test]
fn a_message_by_name_goes_to_a_room_of_that_name_where_the_server_knows_it_and_others_hear_nothing() {
    let register = |name: &str| format!(r#"42["register","{name}"]"#);
    let (ann, bob, carol) = (register("ann"), register("bob"), register("carol"));
    let asked = r#"42["private",{"to":"bob","from":"ann","text":"good morning"}]"#;
    let told = r#"42["private",{"from":"ann","text":"good morning"}]"#;
    let says = r#"42["private",{"to":"ann","from":"bob","text":"a fine one"}]"#;
    let heard = r#"42["private",{"from":"bob","text":"a fine one"}]"#;
    let text = |introduce: bool, third: &[(&str, f64, &str)]| {
        let skip = usize::from(!introduce);
        let first = [
            ("send", 1.0, ann.as_str()),
            ("send", 3.0, asked),
            ("receive", 6.1, heard),
            ("receive", 9.0, "2"),
        ];
        let second =
            [("send", 1.0, bob.as_str()), ("receive", 3.1, told), ("send", 6.0, says), ("receive", 9.0, "2")];
        imported(&of_tabs(&[&first[skip..], &second[skip..], third])).text
    };
    let third = [("send", 1.0, carol.as_str()), ("receive", 9.0, "2")];
    let found = text(true, &third);
    for part in ["rooms: [\"user-${index}\"]", "- fence\n", "senders: anyone"] {
        assert!(found.contains(part), "{part}\n{found}");
    }
    assert!(!found.contains("reaches:"), "{found}");
    for found in [text(true, &[]), text(false, &third)] {
        assert!(!found.contains("rooms:"), "{found}");
    }
}
