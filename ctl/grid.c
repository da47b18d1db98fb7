/* See grid.h. */
#include "ctl/grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "ctl/text.h"

enum { COLUMNS_MAX = 12 };

void
grid_init(struct grid *grid, const char *const *heads, size_t columns,
          unsigned right)
{
    *grid = (struct grid){.heads = heads, .columns = columns, .right = right};
}

void
grid_done(struct grid *grid)
{
    for (size_t i = 0; i < grid->count; i++) {
        free(grid->cells[i]);
    }
    free(grid->cells);
    grid_init(grid, grid->heads, grid->columns, grid->right);
}

void
grid_add(struct grid *grid, const char *cell)
{
    if (grid->count == grid->capacity) {
        size_t capacity = grid->capacity == 0 ? 64 : grid->capacity * 2;
        char **cells = realloc(grid->cells, capacity * sizeof *cells);
        if (cells == NULL) {
            grid->status = -ENOMEM;
            return;
        }
        grid->cells = cells;
        grid->capacity = capacity;
    }
    char *escaped = text_escape(cell);
    if (escaped == NULL) {
        grid->status = -ENOMEM;
        return;
    }
    grid->cells[grid->count++] = escaped;
}

void
grid_addf(struct grid *grid, const char *format, ...)
{
    char *cell = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&cell, format, arguments) < 0) {
        grid->status = -ENOMEM;
        cell = NULL;
    }
    va_end(arguments);
    if (cell != NULL) {
        grid_add(grid, cell);
        free(cell);
    }
}

static void
print_row(const struct grid *grid, const char *const *cells,
          const size_t *widths, FILE *stream)
{
    for (size_t i = 0; i < grid->columns; i++) {
        size_t pad = widths[i] - text_width(cells[i]);
        int before = (grid->right & 1u << i) != 0 ? (int)pad : 0;
        int after = before > 0 || i + 1 == grid->columns ? 0 : (int)pad;
        if ((grid->right & 1u << i) != 0) {
            after = 0;
        }
        (void)fprintf(stream, "%s%*s%s%*s", i > 0 ? "  " : "", before, "",
                      cells[i], after, "");
    }
    (void)fputc('\n', stream);
}

int
grid_print(const struct grid *grid, FILE *stream)
{
    size_t widths[COLUMNS_MAX];
    if (grid->status != 0) {
        return grid->status;
    }
    for (size_t i = 0; i < grid->columns; i++) {
        widths[i] = text_width(grid->heads[i]);
        for (size_t j = i; j < grid->count; j += grid->columns) {
            size_t width = text_width(grid->cells[j]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    print_row(grid, grid->heads, widths, stream);
    for (size_t j = 0; j + grid->columns <= grid->count; j += grid->columns) {
        print_row(grid, (const char *const *)&grid->cells[j], widths, stream);
    }
    return 0;
}
