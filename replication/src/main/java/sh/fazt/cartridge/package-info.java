/**
 * Opens, migrates, reads, writes, backs up and checks the SQLite file, and stamps every replicated write
 * with its dot and clock. The only room that knows java.sql.
 */
@NullMarked
package sh.fazt.cartridge;

import org.jspecify.annotations.NullMarked;
