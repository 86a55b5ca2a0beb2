//! The commands that a scenario starts beside the server: its services and those of its script. A scenario may be somebody
//! else's, so none is started unless the user allows it, or gives the commands himself.

use std::collections::BTreeSet;

use super::ServerConfig;
use super::operate::operations;
use crate::report::result::TargetKind;
use crate::scenario::{Operation, Part, Scenario, ServiceRule};
use crate::server::BUS;

/// The flag by which the user allows it.
const FLAG: &str = "--allow-commands";

impl ServerConfig {
    /// The services that a scenario needs here: its own, in the place of which those of the user stand that have the same names,
    /// and the user's others.
    ///
    /// # Errors
    /// A sentence that says what to do, where a command would be started that nobody has allowed, a name is taken, or the
    /// script acts on a service that is not there.
    pub(super) fn services(&self, scenario: &Scenario, is_allowed: bool) -> Result<Vec<ServiceRule>, String> {
        let given = &self.services;
        let is_given = |rule: &&ServiceRule| given.iter().any(|other| other.name == rule.name);
        let own: Vec<&ServiceRule> = scenario.services.iter().filter(|rule| !is_given(rule)).collect();
        if let Some(rule) = own.first().filter(|_| !is_allowed) {
            return Err(format!(
                "the scenario wants to start the service {} by the command `{}`: allow its commands with `{FLAG}`, or give \
                 a service of that name with `--services FILE`",
                rule.name, rule.command
            ));
        }
        let operations = operations(&scenario.script);
        let shell = operations.iter().find_map(|operation| match operation {
            Operation::Shell(command, _) => Some(command),
            _ => None,
        });
        if let Some(command) = shell.filter(|_| !is_allowed) {
            return Err(format!(
                "the script wants to run the command `{command}`: allow its commands with `{FLAG}` if you trust it"
            ));
        }
        let mut taken: BTreeSet<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        let is_joined = self.is_joined();
        taken.extend(is_joined.then_some(BUS));
        let services: Vec<ServiceRule> = given.iter().chain(own).cloned().collect();
        for rule in &services {
            if let Some(name) = taken.get(rule.name.as_str()) {
                let whose = if *name == BUS { "the bus of the reference server" } else { "a node" };
                return Err(format!(
                    "a service and {whose} are both called `{name}`: give the service another name"
                ));
            }
        }
        let is_there =
            |name: &String| services.iter().any(|rule| rule.name == *name) || (is_joined && name == BUS);
        let lost = operations.iter().find_map(|operation| match operation.part() {
            Some(Part::Service(name)) if !is_there(&name) => Some((operation, name)),
            _ => None,
        });
        match lost {
            None => Ok(services),
            Some((operation, name)) => Err(format!(
                "the script says to {operation}, and there is no such service: give the command that starts it as `{name}` in \
                 `--services FILE`, or in `services` of the scenario"
            )),
        }
    }

    /// Whether its nodes are those of the reference server, which its bus joins.
    pub(super) fn is_joined(&self) -> bool {
        self.nodes.len() > 1 && self.missing().kind == TargetKind::Bundled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source;
    use crate::runner::server::tests::usual;
    use crate::scenario::{Surroundings, read};

    fn scenario(more: &str, act: &str) -> Scenario {
        let text =
            format!("name: x\nclients: {{ alice: 1 }}\n{more}\nscript: [ {{ alice: connect }}, {act} ]\n");
        let source = Source { name: "x.yaml".to_owned(), text };
        read(&source, &Surroundings::without_files()).unwrap_or_else(|mistake| panic!("{mistake}"))
    }

    const SERVICES: &str = "services: { redis: redis-server }";

    fn rule(name: &str) -> ServiceRule {
        let service = scenario(SERVICES, "{ await: { whole: true } }").services.remove(0);
        ServiceRule { name: name.to_owned(), command: "mine".to_owned(), ..service }
    }

    #[test]
    fn no_command_of_a_scenario_is_started_that_the_user_has_not_allowed() {
        let (services, shell) =
            (scenario(SERVICES, "{ alice: disconnect }"), scenario("", "{ shell: touch /tmp/x }"));
        let strict = usual();
        let refused = strict.services(&services, false).expect_err("it is a command");
        assert!(refused.contains("`redis-server`: allow its commands with `--allow-commands`"), "{refused}");
        let refused = strict.services(&shell, false).expect_err("it is a command");
        assert!(refused.contains("`touch /tmp/x`: allow its commands with `--allow-commands`"), "{refused}");
        assert_eq!(strict.services(&services, true).map(|services| services.len()), Ok(1));
        assert_eq!(strict.services(&shell, true), Ok(Vec::new()));
    }

    #[test]
    fn a_service_of_the_user_stands_in_the_place_of_the_one_of_the_scenario() {
        let mine = ServerConfig { services: vec![rule("redis")], ..usual() };
        let services = mine
            .services(&scenario(SERVICES, "{ service: { restart: redis } }"), false)
            .expect("it is given");
        assert_eq!(services, [rule("redis")]);
    }

    #[test]
    fn a_service_that_is_not_there_or_has_the_name_of_a_node_is_refused() {
        let missing =
            usual().services(&scenario("", "{ service: { kill: db } }"), false).expect_err("it is nowhere");
        assert!(
            missing.starts_with("the script says to kill service db, and there is no such service"),
            "{missing}"
        );
        let taken = ServerConfig { services: vec![rule("a")], ..usual() };
        let taken = taken.services(&scenario("", "{ alice: disconnect }"), false).expect_err("it is taken");
        assert!(taken.contains("a service and a node are both called `a`"), "{taken}");
    }
}
