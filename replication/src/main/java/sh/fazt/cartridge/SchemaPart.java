package sh.fazt.cartridge;

import java.util.List;

/**
 * What one room keeps in the cartridge. Immutable.
 *
 * @param room       the room's name; migrations are numbered per room
 * @param migrations local and consensus tables: SQL scripts, number n at index n-1; a published one is never edited
 * @param replicated replicated tables
 */
public record SchemaPart(String room, List<String> migrations, List<ReplicatedTable> replicated) {
    public SchemaPart {
        migrations = List.copyOf(migrations);
        replicated = List.copyOf(replicated);
    }
}
