//! Requests that cannot be done: sign-in, accounts, doors, and what is not understood.

sentences! {
    /// What the page's interface says.
    PAGE {
        // Who asks.
        signed_out() = "sign in at /signin, or send a token as `Authorization: Bearer …`";
        wrong_password() = "account and password do not fit";
        wrong_code() = "that is not the code; `sudo doorward report` on the gateway shows it";
        too_many_attempts(n) = "too many attempts went wrong: wait {n} s";
        password_first() = "change the password first: it was made by somebody else";
        role_needed(scope, role) = "`{scope}` needs the role {role} or more";
        scope_needed(scope) = "this token has no scope `{scope}`";
        other_page(header) = "the request came from another page, or does not say where from; a client that is no browser sends the header `{header}: 1`";
        login_none() = "no identity provider is configured";
        login_elsewhere() = "this sign-in was not begun in this browser: try again";
        login_refused() = "the identity provider did not let you in";
        login_too_late() = "this sign-in took too long or was not begun here: try again";
        login_without_role() = "the identity provider knows you, and none of your groups has a role here: ask a manager";
        login_failed() = "the identity provider could not be reached, or what it said does not hold; the gateway's log has the cause";
        // Bodies.
        body_too_large(n) = "a body has {n} kB at most: send a list in parts";
        body_late(n) = "the body did not come within {n} s";
        // Accounts and tokens.
        account_name() = "a name has 1 to 64 letters, digits and . _ @ + -, an e-mail address say; root, gateway, me and first are taken";
        account_unknown(name) = "there is no account `{name}`";
        account_taken(name) = "there is an account `{name}` already";
        accounts_full() = "there are 200 accounts: remove one first";
        last_installer() = "this is the last installer: make another one first";
        role_above(role) = "the role {role} is above your own";
        token_has_no_password() = "a token has no password";
        old_password_wrong() = "the old password is not right";
        password_same() = "the new password is the old one";
        password_short() = "the password is too short: 12 characters and more, a few words say";
        password_long() = "the password is too long: 256 bytes at most";
        password_repeats() = "the password repeats a few characters: a few words are better";
        password_name() = "the password contains the name of the account";
        token_without_scope() = "a token without a scope may do nothing: name one";
        scope_for_people(scope) = "`{scope}` is for people: a token cannot have it";
        token_taken(name) = "there is a token `{name}` already";
        token_unknown(name) = "there is no token `{name}`";
        tokens_full() = "there are 200 tokens: revoke one first";
        // Doors, and readers on loan.
        no_such_door() = "there is no such door";
        door_not_ours() = "nothing of the gateway's opens this door";
        door_locked_down() = "the door is locked down: end the lockdown first";
        door_ks() = "SALTO KS decides at this door, and has no lockdown for programs: use SALTO's own app or page";
        gateway_ending() = "the gateway is ending";
        loan_length() = "a reader is lent for 1 to 60 seconds";
        no_such_reader() = "no reader at a door has this id";
        // What is not there, or not understood.
        not_in_facts() = "the facts in force do not name such a person";
        nothing_here() = "there is nothing at this address";
        wrong_method() = "this address does not have that method";
        unkept() = "the gateway could not read or write what it keeps; `doorward report` tells why";
        too_many_streams() = "16 streams are open already: close one";
        bad_stream_number() = "Last-Event-ID is a number";
        bad_query() = "the query has a value that does not fit; docs/api/openapi.json has what does";
        bad_address() = "the address is not text";
        bad_kind() = "the body must be JSON, with `Content-Type: application/json`";
        no_body() = "the body did not arrive";
        bad_body() = "the body does not fit; docs/api/openapi.json has what does";
        bad_limit() = "limit is 1 to 200";
        bad_search() = "limit is 1 to 200, and q has 200 characters at most";
        bad_event_kind() = "there is no such kind of event";
        bad_outcome() = "an outcome is granted or refused";
        long_number() = "a card's number has 200 characters at most";
        long_note() = "a note has 500 characters at most";
        card_or_person() = "name either a card or a person";
    }
}
