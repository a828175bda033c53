//! The desk's readers: what is said of one presentation. What stands until it is mended is a fault.

sentences! {
    /// What the desk's readers say.
    READERS {
        reader_mute() = "what lies on the reader does not answer: lay one card there, flat, and without others near it";
        reader_two_cards() = "two cards lie on the reader, and neither was taken: leave one there";
        reader_taken_away() = "the card was taken away before it was read: leave it there until its number appears";
        reader_failed() = "the card could not be read: lay it flat on the reader, alone, and leave it there for a second";
        reader_no_number() = "the reader gives no number for this card: it is a contact card, or of a kind that the reader only passes on";
        reader_length() = "the card's number has a length that no UID has (4, 7 or 10 bytes): it is of another kind (ISO 15693, say) and cannot be used";
        reader_strange(technical) = "the reader answered with status {technical}, which says nothing about the card; try again, or another reader";
        reader_bits() = "the reader sent bits that its card_format does not accept; see [[line.reader]] in the configuration";
        reader_busy() = "another program has the reader for itself: end it, or give the desk a reader of its own";
        reader_unresponsive() = "the card does not answer: lay it flat on the reader, alone";
        reader_trouble(technical) = "the card could not be read ({technical}): lay it down once more";
        reader_typed(why) = "what the reader typed is no number of its `number` format ({why}); see [[desk.reader]] in the configuration, and set the reader to a US keyboard with Enter behind the number";
    }
}
