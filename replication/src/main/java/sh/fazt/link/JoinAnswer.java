package sh.fazt.link;

/** What became of an application to join. */
public sealed interface JoinAnswer {
    /**
     * The applicant is a member now.
     *
     * @param admission what it needs to know, in the facade's own form; at most 1 MiB; not to be changed
     */
    @SuppressWarnings("ArrayRecordComponent") // Handed on once, from the desk to the wire; nobody compares two.
    record Admitted(byte[] admission) implements JoinAnswer {}

    /** It is not; the message is for the person who typed the command. */
    record Refused(JoinRefusal reason, String message) implements JoinAnswer {}
}
