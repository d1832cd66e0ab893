/** The worker of the page: an engine, and nothing else. */
import { serve } from 'onebit/worker/serve';

serve();
