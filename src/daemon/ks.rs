//! SALTO KS in the running gateway: one task that keeps it in step, whatever account and configuration are in force, and
//! what the control socket answers about plans.

use super::{
    boot::SiteRuntime,
    control::{Asker, Refused},
    ks_session::KsWatch,
    trail::Trail,
};
use crate::{
    clock::Clock,
    config::Config,
    doors::world::World,
    health::Health,
    salto::reconcile::{
        Asked, InForce, Order, Parts, PlanDoc, Progress, Reconciler, Refusal, Rights, Shown, told_to_stop,
    },
    store::Store,
    sync::build,
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// Where plans are asked for.
#[derive(Clone, Default)]
pub(super) struct KsDesk {
    orders: Option<mpsc::Sender<Order>>,
    shown: Shown,
}

/// Answers to `POST /v1/ks/apply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunDoc {
    /// How many changes are under way.
    pub of: usize,
}

/// Grants from the facts in force.
struct Facts {
    store: Store,
    config: Arc<Config>,
}

impl Rights for Facts {
    fn rights(&self) -> Result<Option<InForce>, String> {
        let found = build::in_force(self.store.read(), &self.config)?;
        Ok(found.map(|(snapshot, emails)| InForce { snapshot, emails }))
    }
}

/// Keeps KS in step for as long as the gateway lives.
pub(super) struct Keeper {
    account: KsWatch,
    orders: mpsc::Receiver<Order>,
    shown: Shown,
    store: Store,
    clock: Clock,
    health: Health,
    world: Arc<World>,
}

impl Keeper {
    /// Opens the desk as well.
    pub(super) fn new(site: &SiteRuntime, account: KsWatch, desk: &mut KsDesk) -> Self {
        let (sender, orders) = mpsc::channel(4);
        desk.orders = Some(sender);
        Self {
            account,
            orders,
            shown: Arc::clone(&desk.shown),
            store: site.store.clone(),
            clock: site.clock.clone(),
            health: site.health.clone(),
            world: Arc::clone(&site.world),
        }
    }

    /// Until it is told to stop. Another configuration is another reconciler; a plan under way ends between two changes.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let Self {
            mut account,
            mut orders,
            shown,
            store,
            clock,
            health,
            world,
        } = self;
        loop {
            let now = account.borrow_and_update().clone();
            let (end, ended) = watch::channel(false);
            let Some(now) = now else {
                tokio::select! {
                    () = told_to_stop(&mut stop) => return,
                    changed = account.changed() => if changed.is_err() { return },
                    Some(order) = orders.recv() => refuse(order),
                }
                continue;
            };
            let parts = Parts {
                rights: Arc::new(Facts {
                    store: store.clone(),
                    config: Arc::clone(&now.config),
                }),
                session: now.session,
                config: now.config,
                store: store.clone(),
                clock: clock.clone(),
                health: health.clone(),
                shown: Arc::clone(&shown),
            };
            let reconciler = Reconciler::new(parts, ended);
            let mut running = std::pin::pin!(reconciler.run(world.swaps(), &mut orders));
            let is_over = tokio::select! {
                () = &mut running => return,
                () = told_to_stop(&mut stop) => true,
                changed = account.changed() => changed.is_err(),
            };
            let _ = end.send(true);
            running.await;
            if is_over {
                return;
            }
        }
    }
}

fn refuse(order: Order) {
    let refusal = Refusal {
        message: "the configuration has no [ks]".to_owned(),
        hint: "`doorward ks connect` says what it needs".to_owned(),
    };
    match order {
        Order::Plan(reply) => drop(reply.send(Err(refusal))),
        Order::Apply(_, reply) => drop(reply.send(Err(refusal))),
    }
}

/// `/v1/ks/plan`, `/v1/ks/apply` and `/v1/ks/progress`.
pub(super) fn routes(site: &SiteRuntime, desk: KsDesk) -> Router {
    let accepting = post(apply).with_state((desk.clone(), Trail::new(site)));
    Router::new()
        .route("/v1/ks/plan", get(plan))
        .route("/v1/ks/progress", get(progress))
        .with_state(desk)
        .route("/v1/ks/apply", accepting)
}

async fn plan(State(desk): State<KsDesk>) -> Response {
    reply(desk.ask::<PlanDoc>(Order::Plan).await)
}

async fn apply(
    State((desk, trail)): State<(KsDesk, Trail)>,
    ConnectInfo(asker): ConnectInfo<Asker>,
    Json(asked): Json<Asked>,
) -> Response {
    let subject = asked
        .plan
        .clone()
        .unwrap_or_else(|| "whatever is planned".to_owned());
    let begun = desk.ask(|reply| Order::Apply(asked, reply)).await;
    let outcome = begun.as_ref().map_or_else(|_| "refused", |_| "done");
    let who = asker.to_string();
    trail.note(&who, "ks.plan_accepted", &subject, outcome).await;
    reply(begun.map(|of| BegunDoc { of }))
}

async fn progress(State(desk): State<KsDesk>) -> Json<Progress> {
    Json(desk.shown.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

impl KsDesk {
    async fn ask<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Order,
    ) -> Result<T, Refusal> {
        let ending = || Refusal::from("the gateway is ending".to_owned());
        let (reply, answer) = oneshot::channel();
        let orders = self.orders.as_ref().ok_or_else(ending)?;
        orders.send(order(reply)).await.map_err(|_| ending())?;
        answer.await.map_err(|_| ending())?
    }
}

fn reply<T: Serialize>(outcome: Result<T, Refusal>) -> Response {
    match outcome {
        Ok(doc) => Json(doc).into_response(),
        Err(Refusal { message, hint }) => {
            (StatusCode::CONFLICT, Json(Refused { message, hint })).into_response()
        }
    }
}
