//! Cards, people, queues and sheets.

sentences! {
    /// What the desk says.
    DESK {
        // Numbers that are no card.
        card_scheme_unknown() = "unknown scheme; write uid:, rom14:, wiegand26: (or another length), ks: or token:";
        card_without_scheme() = "a card number needs its scheme, for example uid:04A2B3C4D5E680";
        card_not_hex() = "the value must be hexadecimal digits, two for each byte";
        card_length() = "the length does not fit the scheme: a UID has 4, 7 or 10 bytes, Wiegand 1 to 80 bits";
        card_number() = "the number does not fit its fields";
        card_random() = "a random UID: the chip makes a new one at every presentation, so it names nobody";
        card_random_fob() = "a random UID: the chip makes a new one at every presentation, so it names nobody; give this person a fob or card with a number of its own";
        card_unusable(why) = "this card cannot be used: {why}";
        card_format_unknown() = "there is no such card format: it is one of those of card_format";
        // A card that is looked for.
        presentation_gone() = "this presentation is too long ago: present the card once more";
        card_not_known() = "this card is not known any more: look it up once more";
        none_refused() = "no card that is nobody's was refused at a door lately: present it there once more";
        // What cannot be done with a card.
        card_changing() = "this chip makes a new number at every presentation, as telephones and payment cards do: it can be nobody's";
        card_blocked(note) = "the card is blocked ({note})";
        card_is(name) = "the card is {name}'s";
        card_of_several(name) = "the card is of several people: {name}";
        card_is_already(name) = "the card is {name}'s already";
        card_is_nobodys() = "nobody holds this card";
        not_done() = "that cannot be done";
        no_such_block() = "there is no such block here";
        changed_by(by, name) = "{by} changed this card a moment ago: it is {name}'s now";
        changed_by_to_nobody(by) = "{by} changed this card a moment ago: it is nobody's now";
        changed(name) = "somebody else changed this card a moment ago: it is {name}'s now";
        changed_to_nobody() = "somebody else changed this card a moment ago: it is nobody's now";
        // People.
        person_unknown(id) = "the platform has nobody with the id {id}";
        person_id_unknown() = "nobody here has this id";
        nobody_called(name) = "nobody here is called \"{name}\": no such id, e-mail or full name";
        several_called(n, name) = "{n} people are called \"{name}\"";
        nobody_named() = "nobody is named";
        // Guests.
        guest_needs() = "a guest card needs a name, and a door or a group of doors";
        group_unknown(name) = "there is no group \"{name}\" in the configuration";
        door_unknown(name) = "there is no door \"{name}\" in the configuration";
        zone_unknown() = "the site's zone is unknown: say when it ends";
        guest_name(n) = "a guest's name has {n} characters at most, on one line";
        guest_end() = "a guest card ends in the future, within 31 days";
        // What a person should know besides.
        holder_deactivated(name) = "{name} is deactivated at the platform: no card opens for them";
        guest_needs_clock() = "the time is not known for certain: until it is, the card opens only if [clock] untrusted allows it";
        nothing_fetched() = "nothing was fetched from the platform yet: no card opens any door";
        platform_not_told() = "the platform is not told: it counts at these doors";
        lost_replaced() = "lost, replaced";
        // Queues.
        queue_name() = "a queue has a name of 1 to 100 characters";
        queue_empty() = "nobody is in this queue";
        queue_empty_why(why) = "nobody is in this queue: {why}";
        queue_unknown(name) = "there is no queue \"{name}\": begin one";
        queue_over() = "everybody in this queue has a card";
        queue_begun(n) = "{n} people wait for a card";
        queue_begun_one() = "one person waits for a card";
        queue_given(name) = "{name} has a card";
        queue_just_given(name) = "this card is {name}'s since a moment ago: present the next one";
        queue_not_given(why, name) = "{why}: it is still {name}'s turn";
        queue_skipped(name) = "{name} is passed over";
        queue_again(name) = "it is {name}'s turn again";
        queue_nothing_done() = "nothing was done in this queue yet";
        // Sheets.
        sheet_too_long(most) = "the file is longer than {most} MB: is it the right one?";
        sheet_heading(technical) = "the heading cannot be read: {technical}";
        sheet_without_people() = "the first line names the columns, and none of them is id, email or name";
        sheet_without_cards() = "the sheet has no column for cards";
        row_unreadable(technical) = "the row cannot be read: {technical}";
        row_names_nobody() = "the row names nobody";
        row_without_card() = "the row has no card";
        row_twice(line) = "the same card stands in line {line}";
        row_left_out(line, why) = "line {line}: {why}";
        // What the platform says.
        conflict_unknown(id) = "there is no conflict {id}";
        platform_unseen() = "the platform took it and does not show it: another format of cards, or it was undone there";
        platform_card_taken(technical) = "the platform says that the card is somebody else's there: {technical}";
        platform_person_gone(technical) = "the platform does not know this person: {technical}";
        platform_card_unfit(technical) = "the platform does not take this number for a card: {technical}";
        platform_without_cards(technical) = "the platform takes no cards from the gateway: {technical}";
        platform_refused(technical) = "the platform refused it: {technical}";
    }
}

sentences! {
    /// In which way two cards are written the same.
    FORMATS {
        written_uid() = "UID";
        written_uid_reversed() = "UID, last byte first";
        written_rom14() = "ROM code";
        written_decimal() = "ten digits";
        written_decimal_reversed() = "ten digits, last byte first";
        written_three_five() = "three and five digits";
        written_three_five_reversed() = "three and five digits, last byte first";
        written_wiegand26() = "Wiegand 26";
        written_wiegand26_reversed() = "Wiegand 26, last byte first";
        written_wiegand34() = "Wiegand 34";
        written_wiegand34_reversed() = "Wiegand 34, last byte first";
        written_wiegand37() = "Wiegand 37";
        written_wiegand37_reversed() = "Wiegand 37, last byte first";
        written_ks_tag() = "SALTO KS tag";
        written_token() = "token";
        written_telegram() = "Wiegand";
    }
}

sentences! {
    /// What a row of a sheet comes to, besides.
    ROWS {
        row_goes_to(name) = "{name}'s";
    }
}
