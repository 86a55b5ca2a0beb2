//! What raw clients have shown of servers: deviations whose transcripts were made by scripts that share nothing with this
//! program.

use serde::{Deserialize, Serialize};

use crate::document::{Fields, Mistake, Node, Source, Value, parse};

/// More of a transcript is not kept, in lines.
const LONGEST: usize = 200;

/// A deviation that a raw client has shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Confirmed {
    /// The clause, or the rule of the wire.
    pub rule: String,
    /// The servers of which it was shown.
    pub servers: Vec<String>,
    /// What it does to clients.
    pub severity: Severity,
    /// The sentence of the specification that is broken, with its source.
    pub broken: String,
    /// What the servers do instead.
    pub instead: String,
    /// The script that shows it: its name below the folder of the servers.
    pub script: String,
    /// Its text.
    pub script_text: String,
    /// What the script has seen, by server.
    pub transcripts: Vec<Transcript>,
}

/// What a script has seen of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Transcript {
    /// The server.
    pub server: String,
    /// Line by line.
    pub lines: Vec<String>,
}

/// What a deviation does to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Clients lose messages or connections, or are told wrong things.
    Serious,
    /// Clients notice it.
    Moderate,
    /// Hardly a client notices it.
    Minor,
}

impl Severity {
    /// All of them, the gravest first.
    pub(crate) const ALL: [Severity; 3] = [Severity::Serious, Severity::Moderate, Severity::Minor];

    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Serious => "serious",
            Severity::Moderate => "moderate",
            Severity::Minor => "minor",
        }
    }
}

/// Reads a file of them. `file` gives the text of a file beside it.
///
/// # Errors
/// The first mistake.
pub(crate) fn read(
    source: &Source,
    known: &[&str],
    file: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Vec<Confirmed>, Mistake> {
    let root = parse(source)?;
    if matches!(root.value, Value::Null) {
        return Ok(Vec::new());
    }
    root.list()?.iter().map(|node| one(node, known, file)).collect()
}

fn one(
    node: &Node,
    known: &[&str],
    file: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Confirmed, Mistake> {
    let fields = Fields::of(node, "a deviation")?;
    let of = |name| fields.required(name);
    let (rule, servers, severity) = (of("rule"), of("servers"), of("severity"));
    let (broken, instead) = (of("broken"), of("instead"));
    let (script, transcripts) = (of("script"), of("transcripts"));
    fields.deny_others()?;
    let text = |node: &Node| node.word().map(|word| word.trim().to_owned());
    let beside = |node: &Node| {
        let name = node.word()?;
        let is_below = !name.starts_with('/') && !name.split('/').any(|part| part == "..");
        match is_below {
            true => file(name).map_err(|why| node.mistake(format!("cannot read {name}: {why}"))),
            false => Err(node.mistake(format!("`{name}` is not below the folder of the servers"))),
        }
    };
    let server = |node: &Node| {
        let name = node.word()?;
        match known.contains(&name) {
            true => Ok(name.to_owned()),
            false => Err(node
                .mistake(format!("no folder is called `{name}`"))
                .did_you_mean(name, known.iter().copied())),
        }
    };
    let servers = servers?.list()?.iter().map(server).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = servers.first() else {
        return Err(node.mistake("a deviation is one of some server: `servers` is empty"));
    };
    let severity = severity?;
    let word = severity.word()?;
    let names = Severity::ALL.map(Severity::name);
    let found = Severity::ALL.into_iter().find(|one| one.name() == word);
    let severity = found.ok_or_else(|| {
        severity.mistake(format!("there is no severity `{word}`")).did_you_mean(word, names)
    })?;
    let seen = |server: &str, node: &Node| {
        let lines = beside(node)?.lines().take(LONGEST).map(str::to_owned).collect();
        Ok(Transcript { server: server.to_owned(), lines })
    };
    let transcripts = transcripts?;
    let transcripts = match &transcripts.value {
        Value::Map(all) => {
            all.iter().map(|(key, node)| seen(&key.text, node)).collect::<Result<Vec<_>, Mistake>>()?
        }
        _ => vec![seen(first, transcripts)?],
    };
    let script = script?;
    Ok(Confirmed {
        rule: text(rule?)?,
        severity,
        broken: text(broken?)?,
        instead: text(instead?)?,
        script_text: beside(script)?,
        script: script.word()?.to_owned(),
        transcripts,
        servers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "- rule: EIO-LP-02\n  servers: [node]\n  severity: minor\n  broken: it says so\n  instead: it \
                        does not\n  script: proofs/a.py\n  transcripts: proofs/a.txt\n";

    fn read_text(text: &str) -> Result<Vec<Confirmed>, Mistake> {
        let source = Source { name: "deviations.yaml".to_owned(), text: text.to_owned() };
        read(&source, &["node", "bun"], &|name| match name {
            "proofs/a.py" => Ok("print(1)\n".to_owned()),
            "proofs/a.txt" => Ok("> GET\n< 400\n".to_owned()),
            _ => Err("No such file".to_owned()),
        })
    }

    #[test]
    fn a_deviation_is_read_with_its_script_and_its_transcripts() {
        let read = read_text(GOOD).expect("it is well written");
        assert_eq!(read[0].severity, Severity::Minor);
        assert_eq!(read[0].script_text, "print(1)\n");
        assert_eq!(read[0].transcripts[0].lines, ["> GET", "< 400"]);
        let map = GOOD.replace("proofs/a.txt", "{ bun: proofs/a.txt }");
        assert_eq!(read_text(&map).expect("so is this")[0].transcripts[0].server, "bun");
        assert_eq!(read_text("[]").map(|all| all.len()), Ok(0));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_to_do() {
        for (before, after, words) in [
            ("[node]", "[nide]", "no folder is called `nide`"),
            ("[node]", "[]", "`servers` is empty"),
            ("minor", "grave", "there is no severity `grave`"),
            ("proofs/a.txt", "proofs/b.txt", "cannot read proofs/b.txt: No such file"),
            ("proofs/a.py", "../../etc/passwd", "is not below the folder"),
            ("proofs/a.py", "/etc/passwd", "is not below the folder"),
            ("  instead: it does not\n", "", "instead"),
        ] {
            let refused = read_text(&GOOD.replace(before, after)).expect_err("it is wrong");
            assert!(refused.message.contains(words), "{}", refused.message);
        }
    }
}
