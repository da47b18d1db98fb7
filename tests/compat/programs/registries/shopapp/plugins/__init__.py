from . import csvexp, xmlexp
import shopapp.plugins.listing
