package sh.fazt.cartridge;

/** The pages of the file. SQLite keeps those that were freed; here they are given back. */
final class Space {
    /** Freed pages that stay, for what is written next. */
    private static final long SPARE = 8L << 20;
    /** Of one transaction: some ten milliseconds. */
    private static final int STEP_PAGES = 512;

    private Space() {}

    /** Has a new file be one that can shrink. One that was made without stays so: its freed pages are used again. */
    static void prepare(Session session) {
        if (session.query("SELECT name FROM sqlite_master LIMIT 1", row -> row.text(0))
                .isEmpty()) {
            session.script("PRAGMA auto_vacuum = INCREMENTAL");
            // It is the header that says so, and it is written already.
            session.script("VACUUM");
        }
    }

    static SqliteCartridge.Size size(Rows rows) {
        long page = number(rows, "PRAGMA page_size");
        return new SqliteCartridge.Size(
                page * number(rows, "PRAGMA page_count"), page * number(rows, "PRAGMA freelist_count"));
    }

    private static long number(Rows rows, String pragma) {
        return rows.first(pragma, row -> row.integer(0)).orElseThrow();
    }

    /** Gives some pages back; answers whether there are more. In the writer's transaction. */
    static boolean giveBack(Session session) {
        long before = size(session).free();
        if (before <= SPARE || number(session, "PRAGMA auto_vacuum") == 0) {
            return false;
        }
        // A script goes on to its end; a statement would stop after the first page.
        session.script("PRAGMA incremental_vacuum(" + STEP_PAGES + ")");
        long after = size(session).free();
        return after > SPARE && after < before;
    }
}
