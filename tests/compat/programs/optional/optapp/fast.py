import nonexistent_accelerator

speed = nonexistent_accelerator.x
