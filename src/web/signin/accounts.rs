//! Changes of accounts and tokens. Each is on the disk before it counts, ends what it must at once, and stands in the
//! audit trail, refused or done.

use super::{
    password, random,
    role::{Act, Role},
    staff::{Account, SignedIn, Staff, Token, busy},
    who::{Actor, Who},
};
use crate::{
    domain::{Millis, say::page as say},
    web::problem::Problem,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// Accounts, and tokens, at most.
const MOST: usize = 200;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// An account as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountDoc {
    /// Lower case.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Unix milliseconds.
    pub created: Millis,
    /// Who made it.
    pub by: String,
    /// Its password was made by the gateway and has not been changed yet.
    pub must_change: bool,
    /// Browsers that are signed in now.
    pub sessions: usize,
}

/// A token as others see it: never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenDoc {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Act>,
    /// Unix milliseconds.
    pub created: Millis,
    /// Who made it.
    pub by: String,
    /// When it was used last, Unix milliseconds, to an hour over a restart.
    pub used: Option<Millis>,
}

/// A new secret. It is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretDoc {
    /// Of the account or token.
    pub name: String,
    /// The password or token. Nobody can look it up later.
    pub secret: String,
}

/// A name that fits: it stands in addresses, in the trail and on the screen.
fn name(text: &str) -> Result<String, Problem> {
    let name = text.trim().to_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@+-".contains(c);
    let ours = ["root", "gateway", "me", "first"].contains(&name.as_str());
    // Dots alone mean another place in an address: no browser would ever ask for them.
    let named = name.chars().any(|c| c.is_ascii_alphanumeric());
    if !named || name.len() > LONGEST_NAME || !name.chars().all(fits) || ours {
        return Err(Problem::invalid(say::account_name()));
    }
    Ok(name)
}

fn unknown(name: &str) -> Problem {
    Problem::missing(say::account_unknown(name))
}

impl Staff {
    /// Makes the first account, an installer's, with the code that the gateway shows.
    ///
    /// # Errors
    /// When the code is not the one, or name or password do not fit.
    pub async fn first(
        &self,
        code: &str,
        new: &str,
        password: Zeroizing<String>,
        address: IpAddr,
    ) -> Result<SignedIn, Problem> {
        // What does not fit does not use the code up.
        let new = name(new)?;
        if let Some(flaw) = password::flaw(&password, &new) {
            return Err(Problem::invalid(flaw));
        }
        let turn = self.0.changing.lock().await;
        let actor = Actor::stranger(&new, address);
        if let Err(problem) = self.take_code(code, address) {
            self.audit(&actor, "staff.first", &new, "refused").await;
            return Err(problem);
        }
        let hash = self.0.hasher.hash(password).await.map_err(|_| busy())?;
        let account = self.fresh(Role::Installer, hash, false, "first code");
        self.put(&new, account).await?;
        drop(turn);
        self.audit(&actor, "staff.first", &new, "done").await;
        self.begin(&new, Role::Installer, address).await
    }

    fn fresh(&self, role: Role, password: String, must_change: bool, by: &str) -> Account {
        Account {
            role,
            password,
            must_change,
            created: self.0.clock.now().at,
            by: by.to_owned(),
        }
    }

    async fn put(&self, name: &str, account: Account) -> Result<(), Problem> {
        self.keep(format!("account/{name}"), Some(&account)).await?;
        self.state().accounts.insert(name.to_owned(), account);
        Ok(())
    }

    fn known(&self, name: &str) -> Result<Account, Problem> {
        let found = self.state().accounts.get(name).cloned();
        found.ok_or_else(|| unknown(name))
    }

    /// Everybody who has an account.
    #[must_use]
    pub fn list(&self) -> Vec<AccountDoc> {
        let now = self.now();
        let state = self.state();
        let doc = |(name, account): (&String, &Account)| AccountDoc {
            name: name.clone(),
            role: account.role,
            created: account.created,
            by: account.by.clone(),
            must_change: account.must_change,
            sessions: state.sessions.count(name, now),
        };
        state.accounts.iter().map(doc).collect()
    }

    /// Makes an account with a password that is shown once and must be changed at the first sign-in.
    ///
    /// # Errors
    /// When there is one of the name, the role is above one's own, or the disk does not take it.
    pub async fn add(&self, actor: &Actor, new: &str, role: Role) -> Result<SecretDoc, Problem> {
        let done = self.try_add(actor, new, role).await;
        self.told(actor, "staff.added", &format!("{new} as {}", role.name()), done)
            .await
    }

    async fn try_add(&self, actor: &Actor, new: &str, role: Role) -> Result<SecretDoc, Problem> {
        let new = name(new)?;
        let _turn = self.0.changing.lock().await;
        over(actor, role)?;
        let accounts = self.state().accounts.len();
        if self.known(&new).is_ok() {
            return Err(Problem::conflict(say::account_taken(&new)));
        }
        if accounts >= MOST {
            return Err(Problem::conflict(say::accounts_full()));
        }
        let (secret, hash) = self.made_password().await?;
        let account = self.fresh(role, hash, true, &actor.name);
        self.put(&new, account).await?;
        Ok(SecretDoc { name: new, secret })
    }

    async fn made_password(&self) -> Result<(String, String), Problem> {
        let secret = random::code().ok_or_else(|| Problem::failed(&"no random bytes"))?;
        let hash = self.0.hasher.hash(secret.clone()).await.map_err(|_| busy())?;
        Ok((secret.to_string(), hash))
    }

    /// Removes an account: its sessions end at once.
    ///
    /// # Errors
    /// When there is none, its role is above one's own, or it is the last installer's.
    pub async fn remove(&self, actor: &Actor, name: &str) -> Result<(), Problem> {
        let done = self.try_remove(actor, name).await;
        self.told(actor, "staff.removed", name, done).await
    }

    async fn try_remove(&self, actor: &Actor, name: &str) -> Result<(), Problem> {
        let _turn = self.0.changing.lock().await;
        let account = self.known(name)?;
        over(actor, account.role)?;
        self.not_the_last(actor, name, account.role)?;
        self.keep::<Account>(format!("account/{name}"), None).await?;
        let mut state = self.state();
        state.accounts.remove(name);
        state.sessions.end_all(name);
        drop(state);
        self.tell_ended();
        Ok(())
    }

    /// Somebody must be able to go on. Root always is.
    fn not_the_last(&self, actor: &Actor, name: &str, role: Role) -> Result<(), Problem> {
        let state = self.state();
        let mut others = state.accounts.iter().filter(|(other, _)| *other != name);
        if role == Role::Installer
            && actor.address.is_some()
            && !others.any(|(_, account)| account.role == Role::Installer)
        {
            return Err(Problem::conflict(say::last_installer()));
        }
        Ok(())
    }

    /// Gives another role: sessions end at once.
    ///
    /// # Errors
    /// As [`Self::remove`].
    pub async fn set_role(&self, actor: &Actor, name: &str, role: Role) -> Result<(), Problem> {
        let done = self.try_role(actor, name, role).await;
        self.told(actor, "staff.role", &format!("{name} to {}", role.name()), done)
            .await
    }

    async fn try_role(&self, actor: &Actor, name: &str, role: Role) -> Result<(), Problem> {
        let _turn = self.0.changing.lock().await;
        let account = self.known(name)?;
        over(actor, account.role.max(role))?;
        if role != Role::Installer {
            self.not_the_last(actor, name, account.role)?;
        }
        self.put(name, Account { role, ..account }).await?;
        self.state().sessions.end_all(name);
        self.tell_ended();
        Ok(())
    }

    /// Makes a new password for somebody who forgot theirs: sessions end at once.
    ///
    /// # Errors
    /// When there is none, or its role is above one's own.
    pub async fn reset(&self, actor: &Actor, name: &str) -> Result<SecretDoc, Problem> {
        let done = self.try_reset(actor, name).await;
        self.told(actor, "staff.reset", name, done).await
    }

    async fn try_reset(&self, actor: &Actor, name: &str) -> Result<SecretDoc, Problem> {
        let _turn = self.0.changing.lock().await;
        let account = self.known(name)?;
        over(actor, account.role)?;
        let (secret, password) = self.made_password().await?;
        let account = Account {
            password,
            must_change: true,
            ..account
        };
        self.put(name, account).await?;
        self.state().sessions.end_all(name);
        self.tell_ended();
        Ok(SecretDoc {
            name: name.to_owned(),
            secret,
        })
    }

    /// Changes one's own password: all sessions end, and a new one begins.
    ///
    /// # Errors
    /// When the old one is wrong or the new one no good.
    pub async fn change_password(
        &self,
        who: &Who,
        old: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<SignedIn, Problem> {
        let done = self.try_change(who, old, new).await;
        let done = self
            .told(&who.actor(), "staff.password_changed", &who.name, done)
            .await;
        let role = done?;
        self.begin(&who.name, role, who.address).await
    }

    async fn try_change(
        &self,
        who: &Who,
        old: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<Role, Problem> {
        if who.session.is_none() {
            return Err(Problem::forbidden(say::token_has_no_password()));
        }
        let _turn = self.0.changing.lock().await;
        let account = self.known(&who.name)?;
        self.slowed(&who.name, who.address)?;
        let same = *old == *new;
        let right = self.0.hasher.check(old, Some(account.password.clone())).await;
        if !right.map_err(|_| busy())? {
            let now = self.now();
            self.state().slow.failed(&who.name, who.address, now);
            return Err(Problem::forbidden(say::old_password_wrong()));
        }
        if let Some(flaw) = password::flaw(&new, &who.name) {
            return Err(Problem::invalid(flaw));
        }
        if same {
            return Err(Problem::invalid(say::password_same()));
        }
        let password = self.0.hasher.hash(new).await.map_err(|_| busy())?;
        let role = account.role;
        let account = Account {
            password,
            must_change: false,
            ..account
        };
        self.put(&who.name, account).await?;
        self.state().sessions.end_all(&who.name);
        self.tell_ended();
        Ok(role)
    }

    /// Every token.
    #[must_use]
    pub fn tokens(&self) -> Vec<TokenDoc> {
        let state = self.state();
        let doc = |(name, token): (&String, &Token)| TokenDoc {
            name: name.clone(),
            scopes: token.acts.clone(),
            created: token.created,
            by: token.by.clone(),
            used: token.used,
        };
        state.tokens.iter().map(doc).collect()
    }

    /// Makes a token. Its secret is shown this once.
    ///
    /// # Errors
    /// When there is one of the name, or a scope that no token may have or that is above one's own role.
    pub async fn add_token(&self, actor: &Actor, new: &str, scopes: &[Act]) -> Result<SecretDoc, Problem> {
        let done = self.try_add_token(actor, new, scopes).await;
        let mut subject = format!("{new}:");
        for act in scopes {
            subject.push(' ');
            subject.push_str(act.name());
        }
        self.told(actor, "token.added", &subject, done).await
    }

    async fn try_add_token(&self, actor: &Actor, new: &str, scopes: &[Act]) -> Result<SecretDoc, Problem> {
        let new = name(new)?;
        let mut acts = scopes.to_vec();
        acts.sort_unstable();
        acts.dedup();
        if acts.is_empty() {
            return Err(Problem::invalid(say::token_without_scope()));
        }
        for act in &acts {
            if !act.fits_a_token() {
                return Err(Problem::invalid(say::scope_for_people(act.name())));
            }
            over(actor, act.least())?;
        }
        let _turn = self.0.changing.lock().await;
        let (taken, count) = {
            let state = self.state();
            (state.tokens.contains_key(&new), state.tokens.len())
        };
        if taken {
            return Err(Problem::conflict(say::token_taken(&new)));
        }
        if count >= MOST {
            return Err(Problem::conflict(say::tokens_full()));
        }
        let random = random::secret().ok_or_else(|| Problem::failed(&"no random bytes"))?;
        // Known at a glance, also to tools that look for secrets in what people publish.
        let secret = format!("doorward_{}", *random);
        let token = Token {
            sum: random::sum_text(&secret),
            acts,
            created: self.0.clock.now().at,
            by: actor.name.clone(),
            used: None,
        };
        self.keep(format!("token/{new}"), Some(&token)).await?;
        self.state().tokens.insert(new.clone(), token);
        Ok(SecretDoc { name: new, secret })
    }

    /// Ends every session of an account, or of somebody of the identity provider, for somebody else. How many there were.
    ///
    /// # Errors
    /// Their role is above the actor's, or there is no such account.
    pub async fn sign_out_other(&self, actor: &Actor, account: &str) -> Result<usize, Problem> {
        let allowed = {
            let state = self.state();
            let of_account = state.accounts.get(account).map(|it| it.role);
            let role = of_account.max(state.sessions.highest(account));
            match role {
                Some(role) => over(actor, role),
                None if account.starts_with("oidc:") => Ok(()),
                None => Err(unknown(account)),
            }
        };
        if let Err(problem) = allowed {
            return self
                .told(actor, "session.ended_everywhere", account, Err(problem))
                .await;
        }
        Ok(self.sign_out_everywhere(actor, account).await)
    }

    /// Revokes a token, at once.
    ///
    /// # Errors
    /// When there is none.
    pub async fn remove_token(&self, actor: &Actor, name: &str) -> Result<(), Problem> {
        let done = self.try_remove_token(name).await;
        self.told(actor, "token.removed", name, done).await
    }

    async fn try_remove_token(&self, name: &str) -> Result<(), Problem> {
        let _turn = self.0.changing.lock().await;
        if !self.state().tokens.contains_key(name) {
            return Err(Problem::missing(say::token_unknown(name)));
        }
        self.keep::<Token>(format!("token/{name}"), None).await?;
        self.state().tokens.remove(name);
        self.tell_ended();
        Ok(())
    }

    /// Puts the outcome into the audit trail.
    async fn told<T>(
        &self,
        actor: &Actor,
        action: &str,
        subject: &str,
        done: Result<T, Problem>,
    ) -> Result<T, Problem> {
        let outcome = done.as_ref().err().map_or("done", |problem| problem.title);
        self.audit(actor, action, subject, outcome).await;
        done
    }
}

fn over(actor: &Actor, role: Role) -> Result<(), Problem> {
    if actor.is_over(role) {
        return Ok(());
    }
    Err(Problem::forbidden(say::role_above(role.name())))
}
