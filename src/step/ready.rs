//! The wait for the event by which the application tells a client that it is ready: the end of `connect`, where the contract names one.
//!
//! The event is not taken: the script may want what it says.

use std::time::Instant;

use super::expect::Description;
use super::{Cx, EventFilter};
use crate::contract::ReadyRule;
use crate::template::Template;

/// What tells a client that the server handles its events from now on.
#[derive(Debug)]
pub(super) struct Ready {
    event: String,
    namespace: Option<String>,
    description: Description,
}

impl Ready {
    pub(super) fn new(rule: &ReadyRule) -> Ready {
        let ReadyRule { event, args, namespace } = rule.clone();
        let template = Template::from(serde_json::Value::from(event.as_str()));
        let description =
            Description { name: format!("`{event}`"), event: template, args, said: None, namespace: None };
        Ready { event, namespace, description }
    }

    /// It has to be kept, although no `expect` may want it.
    pub(super) fn filter(&self, filter: &mut EventFilter) {
        filter.want(&self.description.event);
    }

    /// Whether clients are told it in this namespace.
    pub(super) fn is_told_in(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    /// What was said of an earlier connection says nothing of the next.
    pub(super) fn forget(&self, cx: &mut Cx<'_, '_>, namespace: &str) {
        while let Some((place, _)) = { cx.actor.inbox.named(namespace, &self.event).next() } {
            cx.actor.inbox.take(place);
        }
    }

    /// Whether the event has come.
    pub(super) fn is_there(&self, cx: &Cx<'_, '_>, namespace: &str) -> bool {
        let mut named = cx.actor.inbox.named(namespace, &self.event);
        named.any(|(_, received)| self.description.judge(received, cx.actor, None).is_ok())
    }

    /// It will not come: the client is connected, and nobody knows whether it is heard.
    pub(super) fn missed(&self, cx: &mut Cx<'_, '_>, namespace: &str, asked: Instant, why: &str) {
        let judge = |(_, received)| self.description.judge(received, cx.actor, None).err();
        let unlike = cx.actor.inbox.named(namespace, &self.event).find_map(judge);
        let unlike = unlike.map(|unlike| format!("; one of its name did not fit: {}", unlike.why));
        let heard = cx.actor.heard_instead(asked);
        let wish = format!("{}, by which the server says that it is ready", self.description.wish());
        cx.fail(wish, format!("the client was let in, and {why}{}{heard}", unlike.unwrap_or_default()));
    }
}
