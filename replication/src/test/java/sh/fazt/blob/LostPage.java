package sh.fazt.blob;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** What a bad sector leaves of a page of a cartridge that nobody has open. */
public final class LostPage {
    private static final int PAGE = 4096;
    /** Enough to be found in one place only. */
    private static final int PART = 24;

    private LostPage() {}

    /** The pages that hold some bytes from the middle of stored chunks are all zeros from now on. */
    public static void of(Path cartridge, byte[]... chunks) throws IOException {
        Set<Integer> pages = pages(cartridge);
        byte[] bytes = Files.readAllBytes(cartridge);
        for (byte[] chunk : chunks) {
            int page = pageOf(bytes, chunk, pages);
            Arrays.fill(bytes, page * PAGE, (page + 1) * PAGE, (byte) 0);
        }
        Files.write(cartridge, bytes);
    }

    /** Those of the table of chunks: free ones, and others, may still hold what was on them before. */
    private static Set<Integer> pages(Path cartridge) {
        Set<Integer> pages = new HashSet<>();
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + cartridge);
                var statement = db.createStatement();
                var rows = statement.executeQuery("SELECT pageno - 1 FROM dbstat WHERE name = 'fazt_chunk'")) {
            while (rows.next()) {
                pages.add(rows.getInt(1));
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        return pages;
    }

    private static int pageOf(byte[] bytes, byte[] chunk, Set<Integer> pages) {
        // A part may lie on two pages: then the next does not.
        for (int from = chunk.length / 2; from < chunk.length / 2 + 5 * PART; from += PART) {
            for (int page : pages) {
                for (int at = page * PAGE; at <= (page + 1) * PAGE - PART; at++) {
                    if (Arrays.equals(bytes, at, at + PART, chunk, from, from + PART)) {
                        return page;
                    }
                }
            }
        }
        throw new AssertionError("the chunk is not in the file");
    }
}
