//! Cedar: four policies that read the person's attributes, which is faster than one policy for each group.
//! The way from the card to the person, which Cedar does not have, is a hash map and counts.

use super::world::{self, DOORS, PLANS, Question, ROOMS, Right, World};
use crate::report::Failure;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use doorward::domain::Credential;
use std::collections::{HashMap, HashSet};

const POLICIES: &str = r#"
permit(principal, action == Action::"enter", resource)
when { principal has plan && !principal.hours && resource in principal.plan };
permit(principal, action == Action::"enter", resource)
when { principal has plan && principal.hours && resource in principal.plan
       && context.day < 5 && 480 <= context.minute && context.minute < 1200 };
permit(principal, action == Action::"enter", resource)
when { principal has room && resource in principal.room && principal.from <= context.now && context.now < principal.until };
forbid(principal, action, resource) when { principal.blocked };
"#;

pub(crate) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    holders: HashMap<Credential, u32>,
    types: Types,
}

/// A request, and the card that it was made for.
pub(crate) struct Ready {
    card: Credential,
    request: Request,
}

struct Types {
    person: EntityTypeName,
    door: EntityTypeName,
    group: EntityTypeName,
    action: EntityTypeName,
}

fn uid(name: &EntityTypeName, id: impl ToString) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id.to_string()))
}

impl Cedar {
    pub(crate) fn new(world: &World) -> Result<Self, Failure> {
        let types = Types {
            person: "Person".parse()?,
            door: "Door".parse()?,
            group: "Group".parse()?,
            action: "Action".parse()?,
        };
        let mut entities = Vec::new();
        for group in 0..PLANS + ROOMS {
            entities.push(Entity::new_no_attrs(uid(&types.group, group), HashSet::new()));
        }
        for door in 0..DOORS {
            let plans = (0..PLANS).filter(|plan| world::in_plan(*plan, door));
            let rooms = (0..ROOMS)
                .filter(|room| world::in_room(*room, door))
                .map(|room| PLANS + room);
            let groups = plans.chain(rooms).map(|group| uid(&types.group, group)).collect();
            entities.push(Entity::new_no_attrs(uid(&types.door, door), groups));
        }
        for n in 0..world.size {
            entities.push(Entity::new(
                uid(&types.person, n),
                attributes(&types, n),
                HashSet::new(),
            )?);
        }
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: POLICIES.parse()?,
            entities: Entities::from_entities(entities, None)?,
            holders: (0..world.size).map(|n| (world::card(n), n)).collect(),
            types,
        })
    }

    /// A request for a question, made before the time is taken.
    pub(crate) fn request(&self, question: &Question) -> Result<Ready, Failure> {
        let long = RestrictedExpression::new_long;
        let context = Context::from_pairs([
            ("now".to_owned(), long(question.at)),
            ("day".to_owned(), long(question.weekday())),
            ("minute".to_owned(), long(question.minute())),
        ])?;
        let request = Request::new(
            uid(&self.types.person, question.number),
            uid(&self.types.action, "enter"),
            uid(&self.types.door, question.door),
            context,
            None,
        )?;
        Ok(Ready {
            card: question.card,
            request,
        })
    }

    pub(crate) fn opens(&self, ready: &Ready) -> bool {
        self.holders.contains_key(&ready.card)
            && self
                .authorizer
                .is_authorized(&ready.request, &self.policies, &self.entities)
                .decision()
                == Decision::Allow
    }
}

fn attributes(types: &Types, person: u32) -> HashMap<String, RestrictedExpression> {
    let group = |n| RestrictedExpression::new_entity_uid(uid(&types.group, n));
    let long = RestrictedExpression::new_long;
    let flag = RestrictedExpression::new_bool;
    let mut attributes = HashMap::from([("blocked".to_owned(), flag(world::is_blocked(person)))]);
    match world::right(person) {
        Right::Plan(plan) => attributes.extend([
            ("plan".to_owned(), group(plan)),
            ("hours".to_owned(), flag(world::has_hours(plan))),
        ]),
        Right::Booking(room, from, until) => attributes.extend([
            ("room".to_owned(), group(PLANS + room)),
            ("from".to_owned(), long(from)),
            ("until".to_owned(), long(until)),
        ]),
    }
    attributes
}
