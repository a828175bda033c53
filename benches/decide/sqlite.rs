//! SQLite: one prepared statement, indexed all the way, on a database in memory.

use super::world::{self, DOORS, PLANS, Question, ROOMS, Right, World};
use crate::report::Failure;
use rusqlite::{Connection, Statement, params};

const TABLES: &str = "
    CREATE TABLE cards (key BLOB PRIMARY KEY, person INTEGER NOT NULL, blocked INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE grants (person INTEGER NOT NULL, n INTEGER NOT NULL, grp INTEGER NOT NULL, start INTEGER, stop INTEGER,
        hours INTEGER, PRIMARY KEY (person, n)) WITHOUT ROWID;
    CREATE TABLE doors (grp INTEGER NOT NULL, door INTEGER NOT NULL, PRIMARY KEY (grp, door)) WITHOUT ROWID;
    CREATE TABLE spans (schedule INTEGER NOT NULL, day INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
        PRIMARY KEY (schedule, day, start)) WITHOUT ROWID;
";
const QUERY: &str = "
    SELECT 1 FROM cards c JOIN grants g ON g.person = c.person JOIN doors d ON d.grp = g.grp AND d.door = ?2
    WHERE c.key = ?1 AND NOT c.blocked AND (g.start IS NULL OR g.start <= ?3) AND (g.stop IS NULL OR ?3 < g.stop)
      AND (g.hours IS NULL OR EXISTS (SELECT 1 FROM spans s
           WHERE s.schedule = g.hours AND s.day = ?4 AND s.start <= ?5 AND ?5 < s.stop))
    LIMIT 1";

pub(crate) fn fill(world: &World) -> Result<Connection, Failure> {
    let database = Connection::open_in_memory()?;
    database.execute_batch(TABLES)?;
    database.execute_batch("BEGIN")?;
    {
        let mut put_card = database.prepare("INSERT INTO cards VALUES (?1, ?2, ?3)")?;
        let mut put_grant = database.prepare("INSERT INTO grants VALUES (?1, 0, ?2, ?3, ?4, ?5)")?;
        let mut put_door = database.prepare("INSERT INTO doors VALUES (?1, ?2)")?;
        let mut put_span = database.prepare("INSERT INTO spans VALUES (0, ?1, 480, 1200)")?;
        for n in 0..world.size {
            put_card.execute(params![world::card(n).key(), n, world::is_blocked(n)])?;
            match world::right(n) {
                Right::Plan(plan) => {
                    let hours = world::has_hours(plan).then_some(0);
                    put_grant.execute(params![n, plan, None::<i64>, None::<i64>, hours])?
                }
                Right::Booking(room, from, until) => {
                    put_grant.execute(params![n, PLANS + room, from, until, None::<i64>])?
                }
            };
        }
        for door in 0..DOORS {
            for plan in (0..PLANS).filter(|plan| world::in_plan(*plan, door)) {
                put_door.execute(params![plan, door])?;
            }
            for room in (0..ROOMS).filter(|room| world::in_room(*room, door)) {
                put_door.execute(params![PLANS + room, door])?;
            }
        }
        for day in 0..5 {
            put_span.execute(params![day])?;
        }
    }
    database.execute_batch("COMMIT; ANALYZE")?;
    Ok(database)
}

pub(crate) struct Prepared<'a>(Statement<'a>);

impl<'a> Prepared<'a> {
    pub(crate) fn new(database: &'a Connection) -> Result<Self, Failure> {
        Ok(Self(database.prepare(QUERY)?))
    }

    pub(crate) fn opens(&mut self, question: &Question) -> Result<bool, Failure> {
        let key = question.card.key();
        let asked = params![
            key,
            question.door,
            question.at,
            question.weekday(),
            question.minute()
        ];
        Ok(self.0.exists(asked)?)
    }
}
