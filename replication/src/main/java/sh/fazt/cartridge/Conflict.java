package sh.fazt.cartridge;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;

/**
 * Two nodes wrote one row without knowing of each other: which version lost, and what it said. Immutable.
 *
 * @param key     the row's key columns
 * @param winner  {@code node/epoch:sequence} of the version that won when this was noticed
 * @param loser   the same of the one that lost
 * @param values  the columns of the loser; empty when it was a deletion
 * @param deleted whether the loser had deleted the row
 * @param at      when the loser was written, by its writer's clock
 */
public record Conflict(
        Scope scope,
        String table,
        List<Object> key,
        String winner,
        String loser,
        Map<String, @Nullable Object> values,
        boolean deleted,
        Instant at) {
    /** 48 bits: short enough to type, and of a million conflicts two have the same once in 500 swarms. */
    private static final int ID_BYTES = 6;

    /** The same on every node: 12 hex digits of the digest of what names the loser. */
    public String id() {
        byte[] digest = HexFormat.of()
                .parseHex(Engine.sha256((scope.id()
                                + '\0'
                                + loser
                                + '\0'
                                + table
                                + '\0'
                                + HexFormat.of().formatHex(RowCodec.key(key)))
                        .getBytes(StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(digest, 0, ID_BYTES);
    }
}
