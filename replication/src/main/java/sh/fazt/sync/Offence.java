package sh.fazt.sync;

/** What no honest member does, as far as it can be told from its own words; see {@code DESIGN.md}. */
public enum Offence {
    MALFORMED("sent a message that makes no sense"),
    CLAIMS_WITHOUT_ROWS("said twice that it holds changes, and did not send them when asked"),
    WRONG_BLOB("sent something else than the blob that it was asked for"),
    TELLS_TOO_MUCH("tells of more than is remembered of a member");

    private final String text;

    Offence(String text) {
        this.text = text;
    }

    /** What the member did, for people. */
    public String text() {
        return text;
    }
}
