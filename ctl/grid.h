/* Rows of cells, printed with aligned columns.
 *
 * Cells are escaped when they are put in. Lack of memory sticks and makes
 * the printing fail. One thread.
 */
#ifndef CTL_GRID_H
#define CTL_GRID_H

#include <stddef.h>
#include <stdio.h>

struct grid {
    const char *const *heads;
    size_t columns;
    unsigned right; /* bit 1u << column: aligned to the right */
    char **cells;
    size_t count, capacity;
    int status;
};

/* HEADS (static) has COLUMNS entries. */
void grid_init(struct grid *grid, const char *const *heads, size_t columns,
               unsigned right);
void grid_done(struct grid *grid);
/* Put in the next cell of the row; a row is full after COLUMNS cells. */
void grid_add(struct grid *grid, const char *cell);
void grid_addf(struct grid *grid, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* 0 or -ENOMEM. */
int grid_print(const struct grid *grid, FILE *stream);

#endif
