using System.Net;

namespace LightTts.Hub;

/// <summary>The hub cannot answer now; another try may help.</summary>
/// <param name="message">What it said.</param>
/// <param name="status">Its status, null where there was none.</param>
/// <param name="after">When it wants to be asked again; null where it does not say.</param>
internal sealed class HubBusyException(string message, HttpStatusCode? status = null, TimeSpan? after = null) : Exception(message)
{
    public HttpStatusCode? Status => status;

    public TimeSpan? After => after;
}
