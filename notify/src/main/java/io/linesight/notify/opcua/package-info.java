/** An OPC UA server that shows every camera's last result and open alerts, and takes acknowledgements. */
@NullMarked
package io.linesight.notify.opcua;

import org.jspecify.annotations.NullMarked;
