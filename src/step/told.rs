//! `tells` of an `emit` or an `http` request: what the server sends to others because of it, and to whom. The `${stamp}` in what
//! is sent travels along: it times each receipt, and with `tells` the audit judges who gets the message.

use serde_json::Value as Json;

use super::audit_target::{self, AuditTarget, STAMP, Way};
use super::broadcast;
use super::event_template::Encoded;
use super::schema::{self, Schema, Shape};
use super::{Cx, EventFilter, Reading};
use crate::audit::{Order, Origin, SentMessage, stamp};
use crate::contract::Reach;
use crate::document::{Fields, Mistake, Node};
use crate::template::{Scope, Template};

/// What is sent with a stamp in it.
#[derive(Debug)]
pub(super) struct Stamped {
    /// Whom it is to reach, if the step says so.
    told: Option<Told>,
}

#[derive(Debug)]
struct Told {
    namespace: Option<Template>,
    to: Template,
    except: Template,
    audit_target: AuditTarget,
}

/// Reads templates in which a `${stamp}` may stand, and whether one does.
pub(super) fn with_stamp(
    scope: &mut Scope,
    read: impl FnOnce(&mut Scope) -> Result<Vec<Template>, Mistake>,
) -> Result<(Vec<Template>, bool), Mistake> {
    let templates = scope.with_words(&[STAMP], read)?;
    let empty = Template::from(Json::from(stamp::EMPTY));
    let is_stamped = templates.iter().any(|template| template.uses(STAMP));
    Ok((templates.iter().map(|template| template.bind(&[(STAMP, &empty)])).collect(), is_stamped))
}

impl Stamped {
    /// Reads `tells`, beside something that has a stamp in it or has none.
    pub(super) fn read(
        fields: &Fields<'_>,
        is_stamped: bool,
        reading: &mut Reading<'_>,
    ) -> Result<Option<Stamped>, Mistake> {
        let Some(node) = fields.optional("tells") else {
            return Ok(is_stamped.then_some(Stamped { told: None }));
        };
        if !is_stamped {
            return Err(node
                .mistake("nothing in this step carries the stamp by which others know what they are told")
                .hint("put `${stamp}` into a text that the server sends on"));
        }
        Ok(Some(Stamped { told: Some(Told::read(node, reading)?) }))
    }

    pub(super) fn schema() -> Schema {
        let rooms = || schema::either([schema::word(), schema::some(schema::word())]);
        let shape = Shape::new("What the server sends to others because of this.")
            .needs("event", schema::event(), "The name of the event that they hear.")
            .takes("to", rooms(), "A room or a list of rooms whose members hear it.")
            .takes("except", rooms(), "A room or a list of rooms that are left out.")
            .takes(
                "reaches",
                schema::words(Reach::ALL.map(|(name, _)| name)),
                "Whether the client itself hears it.",
            );
        schema::namespace(shape).schema()
    }

    /// Puts a stamp into what is about to be sent. Gives what the audit has to know of it when it is settled.
    ///
    /// # Errors
    /// In words, when an expression has no value.
    pub(super) fn put(
        &self,
        cx: &mut Cx<'_, '_>,
        encoded: &mut Encoded,
        namespace: &str,
    ) -> Result<Option<Box<SentMessage>>, String> {
        let Some(told) = &self.told else {
            let way = Way { sent_in: namespace, heard_in: namespace, rooms: [&Json::Null; 2] };
            return Ok(audit_target::stamp(cx, encoded, None, &way));
        };
        let heard_in = match &told.namespace {
            None => namespace.into(),
            Some(_) => cx.namespace(told.namespace.as_ref())?,
        };
        let (to, except) = (told.to.render(cx.actor)?, told.except.render(cx.actor)?);
        let way = Way { sent_in: namespace, heard_in: &heard_in, rooms: [&to, &except] };
        Ok(audit_target::stamp(cx, encoded, Some(&told.audit_target), &way))
    }

    /// Listens to what arrives.
    pub(super) fn want(&self, events: &mut EventFilter) {
        if let Some(told) = &self.told {
            told.audit_target.want(events);
        }
    }
}

impl Told {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Told, Mistake> {
        let fields = Fields::of(node, "what others are told")?;
        let arrives_as = Template::compile_text(fields.required("event")?, reading.scope)?;
        let (to, _) = broadcast::rooms(&fields, "to", reading)?;
        let (except, _) = broadcast::rooms(&fields, "except", reading)?;
        let reaches = fields.optional("reaches").map(Reach::read).transpose()?;
        let namespace = reading.namespace(&fields)?;
        let aims = ["to", "except", "reaches"];
        let is_aimed = aims.into_iter().any(|name| fields.optional(name).is_some());
        fields.deny_others()?;
        let audit_target = AuditTarget {
            arrives_as,
            is_aimed,
            sender: audit_target::reached(reaches),
            // The step itself says that the server sends it, wherever this client is.
            origin: Origin::Anywhere,
            order: Order::Acknowledged,
            may_be_refused: false,
            may_be_lost: false,
            is_kept: true,
            has_history: reading.contract.has_history(),
        };
        Ok(Told { namespace, to, except, audit_target })
    }
}
