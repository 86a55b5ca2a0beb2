use super::super::example::servers;
use super::*;
use crate::report::{Detail, Look, terminal};

const LOOK: Look = Look { width: 120, colour: false };

#[test]
fn the_index_reads_like_this() {
    let result = servers();
    insta::assert_snapshot!(terminal(&index(&result), LOOK, Detail::Everything));
}

#[test]
fn the_page_of_a_server_reads_like_this() {
    let result = servers();
    let all = View::of(&result);
    let (server, standings) = all.0.last().expect("there are some");
    insta::assert_snapshot!(terminal(&server::page(&result, server, standings), LOOK, Detail::Everything));
}

#[test]
fn the_page_of_a_clause_reads_like_this() {
    let result = servers();
    let page = clause::page(&result, &View::of(&result), "SEM-BC-04");
    insta::assert_snapshot!(terminal(&page, LOOK, Detail::Everything));
}

#[test]
fn every_link_leads_to_a_file_of_the_site() {
    let files = site(&servers());
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        let links = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for link in links.filter(|link| !link.starts_with('#') && !link.starts_with("data:")) {
            assert!(files.iter().any(|(file, _)| file == link), "{name} leads to {link}");
        }
        assert!(!text.contains("<img") && !text.contains("http-equiv=\"refresh\""), "{name}");
    }
}

#[test]
fn what_no_raw_client_has_shown_accuses_nobody() {
    let mut result = servers();
    result.confirmed.clear();
    for (name, text) in site(&result).iter().filter(|(name, _)| name.ends_with(".html")) {
        assert!(!text.contains("told bad") && !text.contains("told doubt"), "{name}");
    }
    assert!(index_text(&result).contains("not confirmed"));
}

#[test]
fn a_file_of_the_site_has_a_name_that_leads_nowhere_else() {
    assert_eq!(clause_file("../../etc/passwd"), "clause-.._.._etc_passwd.html");
    assert_eq!(server_file("node-4.8"), "server-node-4.8.html");
}

fn index_text(result: &crate::matrix::ServersResult) -> String {
    terminal(&index(result), LOOK, Detail::Everything)
}

/// The pages that `tests/peers/node/servers.test.js` opens in a browser.
#[test]
fn pages_for_the_browser_are_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-pages/servers");
    std::fs::create_dir_all(&folder).expect("the folder of what is built can be written");
    for (name, text) in site(&servers()) {
        std::fs::write(folder.join(name), text).expect("a page can be written");
    }
}
