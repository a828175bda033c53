//! The configuration as the rooms use it: read, checked, defaults filled in, secrets loaded.
//! How it looks in the file, and what each key means to an installer, stands in `config/doorward.toml`.

use crate::domain::{
    DoorId, GrantKind, GroupId, LineId, ReaderId,
    secret::{ChannelKey, Secret},
    site::Site,
};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

pub use super::desk::{DeskConfig, DeskPlace, DeskReaderConfig, WedgeDevice, WedgeNumber};
pub use super::profile::{BookingWindow, Connect, Mapping, Parameter, Profile, RulesConfig, TeamRule};

/// Everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[site] id`: stands in MQTT topics and event ids. Lower-case letters, digits, dashes.
    pub site_id: String,
    /// `[site] name`: for people.
    pub site_name: String,
    /// Doors, groups, schedules, holidays, zone.
    pub site: Site,
    /// `[paths] state`: database and snapshot; survives reboots.
    pub state_dir: PathBuf,
    /// `[paths] runtime`: ring and control socket; memory, gone after a reboot.
    pub runtime_dir: PathBuf,
    /// `[paths] vault_key`: what seals tokens at rest. Absent: the gateway makes a key of its own.
    pub vault_key: Option<Secret>,
    /// `[clock]`.
    pub clock: ClockConfig,
    /// `[journal]`.
    pub journal: JournalConfig,
    /// `[cloud]`: where the facts come from.
    pub cloud: CloudConfig,
    /// `[sync]`.
    pub sync: SyncConfig,
    /// `[rules]` and `[map]`: how facts become grants.
    pub rules: RulesConfig,
    /// `[hooks]`; absent means that no web hooks are received.
    pub hooks: Option<HooksConfig>,
    /// `[checkins]`; absent means that entries stay in the journal.
    pub checkins: Option<CheckinConfig>,
    /// `[mqtt]`; absent means no building network.
    pub mqtt: Option<MqttConfig>,
    /// `[ks]`; absent means that SALTO KS is left alone.
    pub ks: Option<KsConfig>,
    /// `[page]`; absent means that no page is served.
    pub page: Option<PageConfig>,
    /// `[desk]`: the enrolment desk's readers; absent means that none is looked for.
    pub desk: Option<DeskConfig>,
    /// `[[line]]`: serial lines and the readers on them.
    pub lines: Vec<LineConfig>,
    /// How each door is released and watched.
    pub doors: Vec<DoorConfig>,
    /// Things that are allowed and not advisable, for `report` and the log at start.
    pub warnings: Vec<String>,
}

/// `[clock]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockConfig {
    /// `rtc = true`: there is a battery clock, so the time after a boot is to be trusted.
    pub rtc: bool,
    /// `untrusted = "refuse" | "allow"`: what a grant with a window or hours gets while the time is not
    /// trusted. Grants without either open all the same.
    pub allow_windowed_when_untrusted: bool,
}

/// `[journal]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// `max_events`: bound of the journal; at least 250,000 by default.
    pub max_events: u64,
}

/// `[cloud]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloudConfig {
    /// `kind = "none"`: local cards and grants only.
    None,
    /// `kind = "contract"`: any cloud that implements docs/contract/openapi.yaml.
    Contract(HttpConfig),
    /// `kind = "file"`: the same facts from a TOML file, or a folder of CSV files.
    File {
        /// `path`.
        path: PathBuf,
    },
    /// `kind = "cobot"`.
    Cobot(CobotConfig),
    /// `kind = "nexudus"`.
    Nexudus(NexudusConfig),
    /// `kind = "officernd"`.
    OfficeRnd(OfficeRndConfig),
    /// `kind = "spacebring"`.
    Spacebring(SpacebringConfig),
}

/// How far a request may go and whom it may trust: what all connections to clouds share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// `ca_file`: PEM of further authorities to trust, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// `timeout_seconds`: for one request.
    pub timeout: Duration,
}

/// `card_format`: how card numbers stand in the platform's text field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CardText {
    /// `auto`: `scheme:value`, or hexadecimal that can only be a UID. Bare decimal numbers are refused.
    #[default]
    Auto,
    /// `uid`: hexadecimal, first byte on air first.
    Uid,
    /// `uid-reversed`: hexadecimal, last byte first.
    UidReversed,
    /// `decimal`: ten digits, four bytes as one number, first byte on air most significant.
    Decimal,
    /// `decimal-reversed`: ten digits, last byte most significant.
    DecimalReversed,
    /// `wiegand26`: facility and number, 3 and 5 digits.
    Wiegand26,
    /// `ks`: the eight-digit tag number of SALTO KS.
    KsTag,
    /// `token`: any text of up to ten bytes that the platform issued.
    Token,
}

/// `[cloud.cobot]` (facts: platforms.md section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CobotConfig {
    /// `subdomain`: of the space at cobot.me.
    pub subdomain: String,
    /// `space`: its id, where several spaces could be meant. Absent: found by the subdomain.
    pub space: Option<String>,
    /// `token`: access token, best one that belongs to the space.
    pub token: Secret,
    /// `url`: API 2.
    pub url: url::Url,
    /// `site_url`: API 1, which belongs to the space's own host.
    pub site_url: url::Url,
    /// `card_format`.
    pub cards: CardText,
    /// `allowance`: how many times the vendor's usual number of requests may be made.
    pub allowance: u16,
    /// Network.
    pub reach: Reach,
}

/// `[cloud.nexudus]` (facts: platforms.md section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NexudusConfig {
    /// `user`: the e-mail address of the gateway's own user there.
    pub user: String,
    /// `password`.
    pub password: Secret,
    /// `business`: the location's number there, for check-ins.
    pub business: u64,
    /// `url`.
    pub url: url::Url,
    /// `hook_secret`: signs web hooks. Absent: web hooks are refused.
    pub hook_secret: Option<Secret>,
    /// `acs_token`: what Nexudus shows when it pushes finished groups (Custom ACS). Absent: it does not.
    pub acs_token: Option<Secret>,
    /// The keys of `[map.groups]`: what Custom ACS is offered.
    pub groups: Vec<String>,
    /// `card_format`.
    pub cards: CardText,
    /// `allowance`: how many times the vendor's usual number of requests may be made.
    pub allowance: u16,
    /// Network.
    pub reach: Reach,
}

/// `[cloud.officernd]` (facts: platforms.md section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeRndConfig {
    /// `organization`: the slug in its addresses.
    pub organization: String,
    /// `location`: the location's id: check-ins are made there, and only its bookings are read. Absent: the only one,
    /// else no check-ins are posted.
    pub location: Option<String>,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: Secret,
    /// `url`.
    pub url: url::Url,
    /// `identity_url`: where tokens come from.
    pub identity_url: url::Url,
    /// `card_property`: the custom property that holds a member's card numbers.
    pub card_property: String,
    /// `hook_secret`: signs web hooks. Absent: web hooks are refused.
    pub hook_secret: Option<Secret>,
    /// `card_format`.
    pub cards: CardText,
    /// `allowance`: how many times the vendor's usual number of requests may be made.
    pub allowance: u16,
    /// Network.
    pub reach: Reach,
}

/// `[cloud.spacebring]` (facts: platforms.md section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpacebringConfig {
    /// `location`: its id.
    pub location: String,
    /// Who the gateway is.
    pub login: SpacebringLogin,
    /// `url`.
    pub url: url::Url,
    /// `card_key`: the key of a membership's metadata that holds its card numbers.
    pub card_key: String,
    /// `hook_secret`: `whsec_…`, signs web hooks. Absent: web hooks are refused.
    pub hook_secret: Option<Secret>,
    /// `card_format`.
    pub cards: CardText,
    /// `allowance`: how many times the vendor's usual number of requests may be made.
    pub allowance: u16,
    /// Network.
    pub reach: Reach,
}

/// How the gateway signs in at Spacebring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpacebringLogin {
    /// `client_id` and `client_secret`: HTTP Basic.
    Basic {
        /// `client_id`.
        client_id: String,
        /// `client_secret`.
        client_secret: Secret,
    },
    /// `client_id`, `client_secret`, `refresh_token` and `network`: OAuth2. Access tokens come from the refresh token.
    OAuth {
        /// `client_id`.
        client_id: String,
        /// `client_secret`.
        client_secret: Secret,
        /// `refresh_token`.
        refresh_token: Secret,
        /// `network`: the header `spacebring-network-id`.
        network: String,
    },
}

/// `[hooks]`: the receiver of web hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HooksConfig {
    /// `listen`: address and port.
    pub listen: std::net::SocketAddr,
    /// `cert_file` and `key_file`: PEM. Absent only for loopback, behind a proxy or tunnel of the site.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// `path_secret`: the part of the path that only the platform knows. At least 16 characters of A-Z, a-z, 0-9, - and _.
    pub path_secret: Secret,
    /// `public_url`: what the platform is told to call, without the secret part. Absent: somebody tells it by hand.
    pub public_url: Option<url::Url>,
}

/// How to reach a cloud over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// `url`: base address. Plain `http` is accepted for loopback only.
    pub url: url::Url,
    /// `token`: bearer token.
    pub token: Secret,
    /// Network.
    pub reach: Reach,
}

/// `[sync]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncConfig {
    /// `poll_seconds`: how often the facts are asked for without a hint.
    pub poll: Duration,
    /// `hold_share`: a snapshot that drops more than this share of grants, or of working cards, and at least two of
    /// them, waits for a person (0.2 = 20 %).
    pub hold_share: f64,
    /// `max_age_days`: how long each kind of grant holds without contact. Absent: for ever.
    pub max_age: BTreeMap<GrantKind, Duration>,
    /// `warn_before_days`: how long before that the warning begins.
    pub warn_before: Duration,
}

/// `[checkins]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckinConfig {
    /// `late_after_seconds`: an entry older than this when it is delivered is marked late (invariant 6).
    pub late_after: Duration,
    /// `doors`: only entries at these become check-ins; empty means all.
    pub doors: Vec<DoorId>,
}

/// What the building network learns about the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PersonDetail {
    /// Nothing.
    #[default]
    Nothing,
    /// The platform's id.
    Id,
    /// Id and name.
    Name,
}

/// `[mqtt]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttConfig {
    /// `url`: `mqtts://host:8883`, or `mqtt://` for loopback or with `plain = true`.
    pub host: String,
    /// Port of the url.
    pub port: u16,
    /// Whether to use TLS.
    pub tls: bool,
    /// `ca_file`: PEM of authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// `client_cert_file`, `client_key_file`: PEM, for brokers that know clients by certificate.
    pub client_cert: Option<(PathBuf, PathBuf)>,
    /// `username`, `password`.
    pub login: Option<(String, Secret)>,
    /// `topic`: what stands before everything, default `doorward/<site id>`.
    pub topic: String,
    /// `client_id`, default `doorward-<site id>`.
    pub client_id: String,
    /// `person = "nothing" | "id" | "name"`.
    pub person: PersonDetail,
    /// `late_after_seconds`: as for check-ins.
    pub late_after: Duration,
    /// `keep_alive_seconds`.
    pub keep_alive: Duration,
    /// `ack_timeout_seconds`: publishes pending for longer with no acknowledgement rebuild the client.
    pub ack_timeout: Duration,
}

/// `[ks]`: SALTO KS (facts: salto.md section 1).
#[derive(Clone, Debug, PartialEq)]
pub struct KsConfig {
    /// `site`: its UUID there. Absent: the only one, or the one that `doorward ks connect` chose.
    pub site: Option<String>,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: Secret,
    /// Who the gateway is.
    pub login: KsLogin,
    /// `identity_url`: where tokens come from.
    pub identity_url: url::Url,
    /// `url`: the Connect API.
    pub url: url::Url,
    /// `stream_url`: the event streaming hub.
    pub stream_url: url::Url,
    /// `prefix`: what the names of the gateway's own access groups begin with (R37, R38).
    pub prefix: String,
    /// `[ks.groups]`: groups here that are access groups of another name there; these are managed too.
    pub groups: BTreeMap<GroupId, String>,
    /// `invite = true`: users are made with their e-mail, and SALTO sends each an invitation.
    pub invite: bool,
    /// `role`: the code of the role that users get.
    pub role: String,
    /// `hold_share`: a plan that takes more than this share of people or memberships away waits for a person.
    pub hold_share: f64,
    /// `pinned`: people who stay in managed groups and active whatever the facts say: an alias, an e-mail or an id.
    pub pinned: Vec<String>,
    /// `bookings_ahead_hours`: so long before a booking its group is made there.
    pub bookings_ahead: Duration,
    /// `reconcile_seconds`: how often wanted and actual are compared.
    pub reconcile: Duration,
    /// `office_mode_counts = true`: beginning office mode with a tag is an entry.
    pub office_mode_counts: bool,
    /// `tag_reader`: the lock at the desk, by name or id, at which tags are read for enrolment.
    pub tag_reader: Option<String>,
    /// `at_once`: requests under way at a time.
    pub at_once: usize,
    /// Network.
    pub reach: Reach,
}

/// How the gateway signs in at SALTO KS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KsLogin {
    /// Authorization code with PKCE: somebody logs in at SALTO once.
    Code {
        /// `redirect_url`: where SALTO sends the browser back to, as registered there. Absent: the page's own address.
        redirect_url: Option<url::Url>,
    },
    /// `username` and `password` of a system user, where SALTO granted that.
    Password {
        /// `username`.
        username: String,
        /// `password`.
        password: Secret,
    },
}

/// `[page]`: the gateway's own page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageConfig {
    /// `listen`: address and port.
    pub listen: std::net::SocketAddr,
    /// `cert_file` and `key_file`: PEM. Absent: the gateway makes a certificate of its own.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// `public_url`: how browsers reach it.
    pub public_url: Option<url::Url>,
    /// `[page.oidc]`: the space's own identity provider; absent means passwords alone.
    pub oidc: Option<OidcConfig>,
}

/// `[page.oidc]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcConfig {
    /// `issuer`: exactly as the provider writes it.
    pub issuer: String,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`; absent for a public client.
    pub client_secret: Option<Secret>,
    /// `scopes`, beside `openid`.
    pub scopes: Vec<String>,
    /// `claim`: which claim has a person's groups.
    pub claim: String,
    /// `[page.oidc.roles]`: which group has which role: `viewer`, `desk`, `manager` or `installer`.
    pub roles: BTreeMap<String, String>,
    /// `ca_file`.
    pub ca_file: Option<PathBuf>,
}

/// `[[line]]`: a serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineConfig {
    /// `id`.
    pub id: LineId,
    /// `path`: best a stable one, `/dev/serial/by-id/…`.
    pub path: PathBuf,
    /// `baud`.
    pub baud: u32,
    /// What speaks on it.
    pub kind: LineKind,
}

/// What speaks on a serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// `kind = "osdp"`: one or more readers on RS-485.
    Osdp(Vec<OsdpReader>),
    /// `kind = "wradapt"`: one SALTO wall reader behind its RS232 adaptor.
    Wradapt(WradaptReader),
}

/// One OSDP reader (peripheral device).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsdpReader {
    /// `id`.
    pub id: ReaderId,
    /// `address`: 0 to 126.
    pub address: u8,
    /// `key`: the secure channel base key; absent only with `install_mode`.
    pub key: Option<ChannelKey>,
    /// `install_mode = true`: accepts the well-known default key. A warning for as long as it is on.
    pub install_mode: bool,
    /// `door`: which door it belongs to.
    pub door: DoorId,
    /// `card_format`: how its bits become a credential.
    pub card: CardFormat,
}

/// The reader behind a WRADAPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WradaptReader {
    /// `id`.
    pub id: ReaderId,
    /// `door`.
    pub door: DoorId,
    /// `frame = "stx" | "text"`.
    pub frame: WradaptFrame,
    /// `number = "rom14" | "wiegand26"`.
    pub number: WradaptNumber,
    /// `data_bits`: 7 or 8, by the MODE switches.
    pub data_bits: u8,
    /// `parity = "none" | "even" | "odd"`, by the MODE switches.
    pub parity: Parity,
}

/// Framing of a WRADAPT (manual v2.31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WradaptFrame {
    /// STX data ETX and the XOR of what precedes.
    Stx,
    /// The number as text, ended by carriage return or line feed.
    Text,
}

/// What the number of a WRADAPT is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WradaptNumber {
    /// 14 hexadecimal digits, UID padded on the right.
    Rom14,
    /// 26-bit Wiegand as 8 decimal digits: facility (3) and number (5).
    Wiegand26,
}

/// Parity of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// How an OSDP reader's card bits become a credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CardFormat {
    /// `auto`: 32, 56 and 80 bits are a UID in on-air order, every other length is a Wiegand telegram.
    #[default]
    Auto,
    /// `uid`: always a UID, on-air order.
    Uid,
    /// `uid-reversed`: always a UID, last byte first.
    UidReversed,
    /// `wiegand`: always a Wiegand telegram.
    Wiegand,
}

/// `[[door]]`: how a door is released and watched. Its name and schedule are in [`Site`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorConfig {
    /// `id`.
    pub id: DoorId,
    /// `release`: the output that drives the strike; absent for a door that something else drives.
    pub release: Option<OutputRef>,
    /// `release_seconds`.
    pub release_for: Duration,
    /// `contact`: the input that tells open from closed.
    pub contact: Option<InputRef>,
    /// `request_to_exit`: the input of the button or sensor inside.
    pub request_to_exit: Option<InputRef>,
    /// `held_after_seconds`: open for longer than this after an entry is door-held.
    pub held_after: Duration,
    /// `ks_lock`: SALTO KS decides this door, by its lock of this name or id.
    pub ks_lock: Option<String>,
}

/// An output of a device on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputRef {
    /// `reader`: the OSDP device.
    pub reader: ReaderId,
    /// `output`: its number, 0 first.
    pub output: u8,
}

/// An input of a device on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRef {
    /// `reader`: the OSDP device.
    pub reader: ReaderId,
    /// `input`: its number, 0 first.
    pub input: u8,
    /// `active_low = true`: 0 means open (contact) or pressed (request-to-exit).
    pub active_low: bool,
}
